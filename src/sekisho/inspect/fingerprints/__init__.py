"""Registered documents, found again by what they say: keyed fingerprints of short pieces of their text.

`shingle` turns a text into fingerprints, `index` and `writing` keep those of the registered documents in one file for
each tenant, `match` says which documents a message has pieces of, `inspector` makes findings of that.
"""
