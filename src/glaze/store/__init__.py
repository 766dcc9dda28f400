"""The only SQL: one module per table."""
