"""Catalogues of any size, written to a folder of rows block by block: 10^4 to 3·10^7 decisions.

Users and videos are held, some tens of bytes each, decisions never are but for one block. The same size and seed
give the same bytes. Edge cases are not the point here: they are in `two_tower_assets.sources.sample`.

What a catalogue holds of videos is in `videos`, who decides how much and likes what in `people`, what they decide
in `decisions`, the files in `folder`.
"""
