"""What a link shows about itself, without any request: its address as a browser reads it, and structural signs."""
