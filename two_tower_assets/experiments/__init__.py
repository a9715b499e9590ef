"""Experiments with live users: what one arm's users did beside another's, and how sure that is.

What is compared (`definition`), with whom (`assignment`, `traffic`), what runs (`registry`), the statistics of a
readout, and the simulation that proves them (`simulation`). What does not live here: serving the arms, which the Edge
Functions do, and making a version live (`publishing`).
"""
