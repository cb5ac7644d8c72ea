"""The process tree: a supervisor, workers that accept mail, and one process for background work."""
