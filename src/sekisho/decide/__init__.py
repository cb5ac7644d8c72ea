"""Findings and a tenant's policy in, a verdict for each recipient out. Pure: no I/O once the policy is loaded."""
