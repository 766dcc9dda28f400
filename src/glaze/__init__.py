"""Glaze fills the gaps in rows of companies and people, and says where every value came from."""
