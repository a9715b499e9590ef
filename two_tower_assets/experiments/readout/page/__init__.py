"""A readout as one HTML page that works offline: the verdict, the lifts, each arm, the days, and who was left out."""
