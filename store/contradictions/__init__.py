"""What makes two sentences near each other and yet say different things, one file for each kind."""
