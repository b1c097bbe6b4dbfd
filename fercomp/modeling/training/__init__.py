"""From an index of photos to a trained network."""
