"""One TOML file, read whole, into frozen settings; unknown keys are errors that name file, line and key."""
