"""Changes on their way to people: the gate that tries them, and the services of the admin surface around it."""
