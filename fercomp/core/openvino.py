"""OpenVINO, made fit for threads. Whoever runs a network imports it from here, and only when it is needed."""

import openvino

# The first call makes a table in C++. Its maker needs Python's interpreter lock, and others wait for it with
# that lock in hand: two first calls at once wait for each other for ever, and the process with them. While a
# module is imported, one thread is in it.
openvino.Type.u8.to_dtype()

__all__ = ["openvino"]
