"""Who gets in: passwords, sessions, authenticators, keys, sign-in elsewhere; the rules, without HTTP."""
