"""Values that must not leave, or must not be shown: masked in the message as policy asks, and in what we say of it.

Beside `gateway.py`, and only for it: a redaction takes parts of three stages. Policy names findings, an inspector
points at every value they stand for, the parser knows the octets of each. Whether it has worked is not believed but
looked at: what would leave is inspected again, and with any such finding left it waits for an approver.
"""
