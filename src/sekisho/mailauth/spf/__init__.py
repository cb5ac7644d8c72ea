"""The Sender Policy Framework (RFC 7208): records read, hosts checked, records flattened."""
