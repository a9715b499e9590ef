"""Examples, towers, loss and trainer: from feature vectors to a checkpoint."""
