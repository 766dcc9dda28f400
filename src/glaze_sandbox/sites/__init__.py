"""The companies' own web sites, rendered from the truth, and the hostile ones."""
