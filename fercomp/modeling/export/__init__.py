"""From a trained network to a graph that runs without Keras."""
