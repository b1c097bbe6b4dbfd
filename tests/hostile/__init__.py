"""A campaign of hostile inputs: `./run hostile` makes them, runs fercomp on each, counts what comes of it."""
