"""What a ranking that nobody has been shown would have earned, from lists that were served with known chances.

`showings` reads what was served and liked, `value` weighs it. What does not live here: how a candidate's chances are
computed; they are handed over, one a place of a served list.
"""
