"""One enrichment: cache, gaps, order, gateway, merge, validate; begin with run.py."""
