"""Photos and clips: the only places that decode them, and the one that encodes clips."""
