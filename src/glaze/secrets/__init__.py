"""Envelope encryption: what is kept encrypted, by keys that the database does not have."""
