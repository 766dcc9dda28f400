"""The company's own website: fetched politely, read without asking anybody."""
