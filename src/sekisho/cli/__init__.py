"""The command line: one module per noun. `docs/reference/commands.md` lists the commands."""
