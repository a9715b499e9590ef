"""The report page: everything somebody needs to decide whether to trust a model, in one HTML file that works offline."""
