"""One number for each person over all photos and clips of a run, only where somebody asks for it."""
