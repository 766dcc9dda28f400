"""The only way out: HTTP and DNS behind the guard."""
