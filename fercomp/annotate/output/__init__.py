"""The output folder: how copies are called, what a run is made by, what shards become."""
