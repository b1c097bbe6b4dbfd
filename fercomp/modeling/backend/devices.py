"""What the machine offers for training: arithmetic, several GPUs, and what it says when memory ends."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Final

from fercomp.modeling.backend.engine import keras
from fercomp.modeling.backend.share import ALONE, Sharing

POLICIES: Final = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
AMPERE: Final = 8
"""The first compute capability of NVIDIA's GPUs that multiplies bfloat16 matrices."""


@contextmanager
def precision(name: str) -> Iterator[None]:
    """Lets networks that are built in the block compute in a precision; weights stay float32.

    Args:
        name: `auto`, `float32`, `bfloat16` or `float16`.
    """
    before = keras.config.dtype_policy()
    chosen = ("bfloat16" if _gpu_has_bfloat16() else "float32") if name == "auto" else name
    keras.config.set_dtype_policy(POLICIES[chosen])
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def is_emulated(name: str) -> bool:
    """Tells whether this processor, where it does the work, has no instructions for a precision.

    Emulated, a step was measured to take twelve times as long as in float32 (AVX2, TensorFlow 2.21).

    Args:
        name: As for `precision`.
    """
    if name not in ("bfloat16", "float16") or has_gpu():
        return False
    import openvino

    offered = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return {"bfloat16": "BF16", "float16": "FP16"}[name] not in offered


@contextmanager
def all_devices() -> Iterator[Sharing]:
    """Lets networks that are built and compiled in the block train on every device of this machine.

    TensorFlow divides a batch among GPUs by itself (`MirroredStrategy`). JAX does where what it is given can
    be divided, which `Sharing` sees to, and includes the devices of other processes that `hosts.join` has
    found. PyTorch uses one.

    Yields:
        How batches are shared.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        several = len(tf.config.list_logical_devices("GPU")) > 1
        with tf.distribute.MirroredStrategy().scope() if several else nullcontext():
            yield ALONE
    elif backend == "jax" and len(devices := keras.distribution.list_devices()) > 1:
        import jax

        both = keras.distribution.DataParallel(devices=devices, auto_shard_dataset=False)
        with both.scope():
            yield Sharing(len(devices), jax.process_count(), jax.process_index(), both)
    else:
        yield ALONE


def has_gpu() -> bool:
    """Tells whether Keras computes on a GPU or a TPU here."""
    return bool(seen_gpus())


def seen_gpus() -> list[str]:
    """Returns the GPUs and TPUs that Keras sees, by the backend's names for them."""
    if keras.backend.backend() == "torch":
        import torch

        return [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    try:
        return [name for name in keras.distribution.list_devices() if not name.startswith("cpu")]
    except RuntimeError:  # JAX with CUDA, where the driver does not start
        return []


@contextmanager
def whole_float32() -> Iterator[None]:
    """Lets GPUs compute float32 in the block as processors do: NVIDIA's may cut factors to 10 bits (TF32).

    A network that is called in it must not be compiled by XLA on TensorFlow, which cuts in its own way.
    """
    if keras.backend.backend() == "torch":
        import torch

        settings = (torch.backends.cuda.matmul, torch.backends.cudnn)
        before = [setting.allow_tf32 for setting in settings]
        try:
            for setting in settings:
                setting.allow_tf32 = False
            yield
        finally:
            for setting, value in zip(settings, before, strict=True):
                setting.allow_tf32 = value
    elif keras.backend.backend() == "jax":
        import jax

        with jax.default_matmul_precision("highest"):
            yield
    else:
        import tensorflow as tf

        was_cut = tf.config.experimental.tensor_float_32_execution_enabled()
        tf.config.experimental.enable_tensor_float_32_execution(False)
        try:
            yield
        finally:
            tf.config.experimental.enable_tensor_float_32_execution(was_cut)


def is_out_of_memory(error: BaseException) -> bool:
    """Tells whether an error of any backend means that memory, of the GPU or the machine, did not suffice."""
    if isinstance(error, MemoryError):
        return True
    named = {kind.__name__ for kind in type(error).__mro__}
    text = str(error).lower()
    return bool(named & {"ResourceExhaustedError", "OutOfMemoryError"}) or (
        isinstance(error, RuntimeError)
        and any(sign in text for sign in ("out of memory", "can't allocate memory", "resource_exhausted"))
    )


def _gpu_has_bfloat16() -> bool:
    if keras.backend.backend() == "torch":
        import torch

        return bool(torch.cuda.is_available() and torch.cuda.get_device_capability()[0] >= AMPERE)
    if keras.backend.backend() == "jax":
        import jax

        if jax.default_backend() == "tpu":
            return True
        # NVIDIA's say such as 7.5; others, such as AMD's gfx90a, have the format.
        said = [str(getattr(device, "compute_capability", "")) for device in jax.devices()]
        majors = [int(text.partition(".")[0]) for text in said if text.partition(".")[0].isdecimal()]
        return jax.default_backend() == "gpu" and all(major >= AMPERE for major in majors)
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    return bool(details) and all(d.get("compute_capability", (0,))[0] >= AMPERE for d in details)
