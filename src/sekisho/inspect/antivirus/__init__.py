"""Virus scanners: clamd and ICAP engines."""
