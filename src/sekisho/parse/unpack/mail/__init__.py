"""Mail in mail: messages, Outlook files, TNEF, S/MIME, PGP."""
