"""The field's words as immutable values. Ground floor: imports nothing else of Sekisho."""
