"""The admin surface: REST over services that hold all rules; nothing here decides."""
