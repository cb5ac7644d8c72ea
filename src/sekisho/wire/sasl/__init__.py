"""SASL mechanisms, server side, without I/O. RFC 4422."""
