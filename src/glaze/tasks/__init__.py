"""Job kinds, one file each, named as the kind."""
