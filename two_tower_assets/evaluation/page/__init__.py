"""The report page: all that is needed to decide whether to trust a model, in one HTML file that works offline."""
