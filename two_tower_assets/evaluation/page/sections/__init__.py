"""The page from top to bottom: one module a section, each a function from the page's data to HTML."""
