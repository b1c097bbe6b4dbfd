"""Photos: decoding them, finding copies, dividing them into folds, handing them to a network."""
