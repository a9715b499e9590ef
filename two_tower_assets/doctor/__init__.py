"""What may be wrong with a set-up, looked at one thing at a time; each finding says what to do next."""
