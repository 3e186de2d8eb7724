"""Learning what a message means from the store's own phrasings: corpus, folds, features, heads and the stack."""
