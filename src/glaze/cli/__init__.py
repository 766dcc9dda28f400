"""The command line: one command is one call on what boot built."""
