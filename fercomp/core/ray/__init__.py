"""Work on a cluster of Ray, which is imported in functions only: it takes seconds, and is an extra."""
