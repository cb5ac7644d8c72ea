"""Office documents, their macros and what is embedded in them."""
