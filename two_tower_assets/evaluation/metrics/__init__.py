"""Metrics, one small function each, in plain numpy: no model, no data set and no averaging policy.

| module | what it measures | returns |
|---|---|---|
| `hits` | where each relevant video stands: what `retrieval` and `liking` start from | |
| `retrieval` | recall, NDCG, hit rate and reciprocal rank | [U] |
| `liking` | like share of what was hit (purity), rate of NOPEs shown, AUC of LIKE against NOPE | [U] |
| `exposure` | coverage, Gini, novelty, popularity of what is listed | a number, or [U] |
| `makers` | shares of makers and their concentration | a number |
| `calibration` | Brier score, log loss, reliability, calibration error of a like probability | a number |
| `like_calibration` | the fit of sigmoid(a · score + b) | |

Letters: U users, K ranks of a list, C candidates, T targets. What is measured per user comes back as float64 [U] with
NaN for a user it says nothing about; a number that nothing can be said about is NaN too. Means and their intervals
are `evaluation.bootstrap`'s.
"""
