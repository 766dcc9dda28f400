"""A private PostgreSQL server in a data folder, shared by every process that holds a lease on it."""
