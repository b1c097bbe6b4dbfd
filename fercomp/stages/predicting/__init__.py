"""The test photos of the competition, classified: at once, in parts, by the nodes of a Ray cluster."""
