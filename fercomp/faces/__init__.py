"""Faces in a picture: where they are, and how each becomes a network's input."""
