"""Keras and what it runs on: TensorFlow, PyTorch or JAX, and their devices."""
