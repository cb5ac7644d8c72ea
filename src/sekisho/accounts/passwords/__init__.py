"""Passwords: which are good enough, how they are kept, and how equal ones are found without keeping them."""
