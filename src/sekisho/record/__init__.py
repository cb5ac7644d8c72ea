"""What is written down about each message: audit record, JSON log, metrics."""
