"""Exact data matching: rows of a customer or personnel list, found in messages by keyed hashes of their values."""
