"""The HTTP face: routes, schemas and problems, with no logic of their own."""
