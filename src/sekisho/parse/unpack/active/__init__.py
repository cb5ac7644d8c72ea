"""What runs when it is opened: programs, scripts, shortcuts, and files that are two kinds at once."""
