"""`two-tower …`: the command line; every command is a few calls into the package."""
