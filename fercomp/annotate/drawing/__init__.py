"""What is drawn: boxes, labels, timelines."""
