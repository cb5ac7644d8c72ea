"""Who sends: logins, passwords, limits, habits and locks."""
