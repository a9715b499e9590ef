"""A search for better settings: trials on the validation window, finalists by several seeds, a contest on the test.

Whoever measures a point is given the past before the test window, in a folder of its own, and no database; the
study (Optuna's, in Postgres) and the contest belong to the process that waits for them.
"""
