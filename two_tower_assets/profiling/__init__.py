"""Where time goes inside a piece of work: samples of its stacks, and a picture of them. Knows no stage."""
