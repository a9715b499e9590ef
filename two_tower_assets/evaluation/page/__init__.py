"""The report page: all that one needs to decide whether to trust a model, in one HTML file that works offline."""
