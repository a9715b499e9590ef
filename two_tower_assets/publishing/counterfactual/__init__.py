"""What a release would have shown in place of the lists that were served, made as the function makes them.

`ranking` is how its lists are put in order, `served` reads lists and finds the user vectors of their moments, `found`
asks the vector search, `chances` goes through the places. What does not live here: what the chances are worth
(`experiments.counterfactual`).
"""
