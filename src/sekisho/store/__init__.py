"""All SQL and blob storage: what outlives a process."""
