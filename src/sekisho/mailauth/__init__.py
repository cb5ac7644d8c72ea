"""Mail authentication without I/O: canonical forms, signatures and the names they vouch for."""
