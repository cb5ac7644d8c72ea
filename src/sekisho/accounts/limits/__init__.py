"""How much may be sent: by an account, from a domain, through a listener, by a whole tenant."""
