"""The files of one model version, exactly as the contract has them."""
