"""`two-tower compare`: two versions on decisions that came after both."""
