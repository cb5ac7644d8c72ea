"""Looks at a transaction and says what it saw. Never decides."""
