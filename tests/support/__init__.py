"""What several test folders share: a gateway as a process, a next hop that misbehaves on demand, a plain client."""
