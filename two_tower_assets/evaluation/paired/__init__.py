"""Two models asked the same: who finds more of what each person liked afterwards, and for whom."""
