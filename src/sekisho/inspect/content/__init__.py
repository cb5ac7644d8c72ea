"""What a mail says and in whose name: the content models' inspector, and signs that need no model."""
