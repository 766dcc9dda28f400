"""A sample plug-in of Glaze: one provider, in one file."""
