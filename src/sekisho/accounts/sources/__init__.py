"""Where passwords and tokens are checked: accounts of our own, and those of other servers."""
