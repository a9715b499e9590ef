"""What the command line does with experiments of the serving database; what it shows of them is `printing`."""
