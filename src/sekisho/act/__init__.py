"""Carrying out a verdict: modify, sign, relay, hold, refuse."""
