"""The documentation, held against the code: what it lists is there, what it shows runs."""
