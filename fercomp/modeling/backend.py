"""Keras, imported quietly; the rest of this room takes it from here.

Only what builds, trains or exports a network may import this module: it costs seconds and 600 MB.
"""

import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def _native_stderr_held() -> Iterator[None]:
    """Holds back what native code writes to stderr; lets it through when the block raises.

    TensorFlow reports on CUDA and oneDNN before its own log level applies, in every command.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(saved, held.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with _native_stderr_held():
    import keras
# It warns that networks of several shapes are traced anew, which nobody who trains them can change.
logging.getLogger("tensorflow").setLevel(logging.ERROR)

__all__ = ["compiled", "keras", "make_deterministic"]


def make_deterministic(seed: int) -> None:
    """Seeds Python, NumPy and the backend, and asks the backend for operations that repeat exactly.

    Names and counters that Keras keeps for a process are reset too, so that a network built next has the
    same layer names whatever was built before.

    Args:
        seed: The seed, 0 or more.
    """
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiles a function of tensors that changes variables, where the backend runs each operation slowly.

    Args:
        function: Takes tensors and returns nothing.

    Returns:
        A function that does the same: TensorFlow's graph of it, or itself on other backends.
    """
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    graph: Callable[..., Any] = tf.function(function)
    return graph
