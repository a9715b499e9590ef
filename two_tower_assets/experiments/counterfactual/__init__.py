"""What a ranking that nobody has been shown would have earned, from lists that were served with known chances.

`diversity`, `standing` and `places` are how the function `ai-recommend-v5` makes a list, and with what chance it
puts a video at a place; `showings` reads what was served and liked, `value` weighs it. What does not live here: the
candidates that a release finds (`publishing.counterfactual`).
"""
