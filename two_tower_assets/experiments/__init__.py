"""Experiments with live users: what one arm's users did beside another's, and how sure that is.

Plain arithmetic over users; what is served to whom and where it is read from does not live here yet: so far this is
the statistics of a readout and the simulation that proves them (`simulation`).
"""
