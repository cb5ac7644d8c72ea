"""What is usual for an account, and how likely it is that somebody else uses it. I/O: only `country` and `watch`."""
