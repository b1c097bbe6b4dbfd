"""Labels: better ones than the given, when to give none, and emotions as points. Arrays and tables only."""
