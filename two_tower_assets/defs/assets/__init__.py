"""One module a stage, each with the assets of that stage."""
