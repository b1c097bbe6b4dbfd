"""The drawn competition: faces that need no download."""
