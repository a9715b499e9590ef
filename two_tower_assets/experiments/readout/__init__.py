"""The readout of an experiment: from rows in Postgres to figures of each arm and a verdict in plain words.

`plan` is what was agreed beforehand, `rows` asks Postgres, `users` and `shown` are what it answers, `comparing` and
`guarding` do the arithmetic (of `experiments.lift` and its neighbours), `verdict` says what it means, `words` how.
What does not live here: who is in which arm, and what is served to them.
"""
