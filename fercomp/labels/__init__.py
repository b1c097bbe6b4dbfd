"""Labels: votes of people and networks, suggestions, the journal of a review, photos sorted into folders."""
