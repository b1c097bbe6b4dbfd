"""Keras, imported quietly; the rest of this room takes it from here.

Only what builds, trains or exports a network may import this module: it costs seconds and 600 MB.
"""

import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from fercomp.modeling.backend.memory import keep_freed_memory


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
        except Exception:  # whoever stops it need not read them
            held.seek(0)
            os.write(saved, held.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Otherwise a process takes a GPU's whole memory, and the one that times its first batches finds none.
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
keep_freed_memory()
with _native_stderr_held():
    import keras
# It warns that networks of several shapes are traced anew, which nobody who trains them can change.
logging.getLogger("tensorflow").setLevel(logging.ERROR)

__all__ = ["compiled", "keras", "make_deterministic", "synchronised"]


def make_deterministic(seed: int) -> None:
    """Seeds Python, NumPy and the backend, and asks the backend for operations that repeat exactly.

    Names and counters that Keras keeps for a process are reset too, so that a network built next has the
    same layer names whatever was built before.

    Args:
        seed: The seed, 0 or more.
    """
    keras.utils.clear_session()
    with _native_stderr_held():  # Keras seeds TensorFlow whatever the backend, so it may be imported here
        keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def compiled(
    function: Callable[..., None], changed: Sequence[keras.Variable], read: Sequence[keras.Variable]
) -> Callable[..., None]:
    """Compiles a function of tensors that changes variables, where the backend runs each operation slowly.

    Args:
        function: Takes tensors and returns nothing.
        changed: The variables that it changes.
        read: Those that it only reads.

    Returns:
        A function that does the same: compiled on TensorFlow and JAX, `function` itself on PyTorch.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        graph: Callable[..., None] = tf.function(function)
        return graph
    return _compiled_by_jax(function, changed, read) if keras.backend.backend() == "jax" else function


def _compiled_by_jax(
    function: Callable[..., None], changed: Sequence[keras.Variable], read: Sequence[keras.Variable]
) -> Callable[..., None]:
    import jax

    def values(variables: Sequence[keras.Variable]) -> list[Any]:
        return [variable.value for variable in variables]

    def pure(before: list[Any], given: list[Any], *tensors: Any) -> list[Any]:
        with keras.StatelessScope(zip([*changed, *read], [*before, *given], strict=True)) as scope:
            function(*tensors)
        return [scope.get_current_value(variable) for variable in changed]

    fast = jax.jit(pure)

    def run(*tensors: Any) -> None:
        for variable, value in zip(changed, fast(values(changed), values(read), *tensors), strict=True):
            variable.assign(value)

    return run


def synchronised(model: keras.Model) -> None:
    """Gives a model's variables their values in the midst of `fit`, where JAX keeps them elsewhere."""
    if keras.backend.backend() == "jax":
        model.jax_state_sync()
