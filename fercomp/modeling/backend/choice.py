"""Which device does the work: a GPU by Keras, or the processor, on which OpenVINO answers.

Keras is imported only where there may be a GPU: it takes seconds, OpenVINO half of one.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Final, Literal

from fercomp.core.errors import FercompError
from fercomp.core.params import Wanted
from fercomp.core.progress import say, waiting

Device = Literal["cpu", "gpu"]

_ANSWERS: Final = 10.0
"""Seconds for NVIDIA's driver, which may have to be started first."""

_OTHERS: Final = (Path("/dev/kfd"), Path("/dev/accel0"))
"""What drivers of AMD's GPUs and of TPUs leave."""

_NO_GPU: Final = {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu", "KERAS_TORCH_DEVICE": "cpu"}

_LIBRARIES: Final = {"tensorflow": "cuda", "jax": "jax-cuda", "torch": "torch"}
"""By backend, the extra that brings NVIDIA's libraries."""


def hide_gpus() -> None:
    """Keeps Keras on the processor, here and in processes that are started from here.

    To be called before Keras is imported.
    """
    os.environ.update(_NO_GPU)


@cache
def nvidia_gpus() -> tuple[str, ...]:
    """Asks NVIDIA's driver for its GPUs: name and memory of each; none where it does not answer."""
    query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=_ANSWERS, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(answer.strip().splitlines())


def keras_sees() -> tuple[str, Sequence[str]]:
    """Imports Keras; returns its backend's name, and the GPUs that it sees."""
    with waiting("looking for a GPU"):
        from fercomp.modeling.backend.devices import seen_gpus
        from fercomp.modeling.backend.engine import keras

    return keras.backend.backend(), seen_gpus()


@cache
def choose_device(
    wanted: Wanted,
    driver: Callable[[], Sequence[str]] = nvidia_gpus,
    sees: Callable[[], tuple[str, Sequence[str]]] = keras_sees,
) -> Device:
    """Chooses what does the work. What stands in the way of a GPU is said, once.

    Args:
        wanted: `machine.device`.
        driver: Says which GPUs the system has.
        sees: Says what Keras runs on, and which GPUs it sees.

    Returns:
        `gpu` where Keras sees one and it is not unwanted.

    Raises:
        FercompError: A GPU is asked for, and Keras sees none.
    """
    if wanted == "cpu":
        return "cpu"
    cards = driver()
    if wanted == "auto" and not cards and not _may_have_another():
        return "cpu"
    backend, seen = sees()
    if seen:
        return "gpu"
    if wanted == "gpu":
        raise FercompError(f"machine.device is gpu, but {lack_of_gpu(backend, cards)}; or set it to auto")
    if cards:
        say(f"{lack_of_gpu(backend, cards)}; going on on the CPU")
    return "cpu"


def lack_of_gpu(backend: str, cards: Sequence[str]) -> str:
    """Says that Keras sees no GPU, and what to do about it.

    Args:
        backend: What Keras runs on.
        cards: What NVIDIA's driver says is there.
    """
    there = f"nvidia-smi shows {cards[0]}" if cards else "nvidia-smi does not answer"
    if backend == "tensorflow" and sys.platform == "win32":
        remedy = "it uses none on Windows: work in WSL 2, or set KERAS_BACKEND=torch"
    else:
        remedy = (
            f"install NVIDIA's libraries (fercomp's extra `{_LIBRARIES.get(backend, 'cuda')}`; ./run does so "
            "by itself) and a driver that is new enough for them"
        )
    return f"{backend} sees no GPU, {there}: {remedy}"


def _may_have_another() -> bool:
    return "keras" in sys.modules or any(path.exists() for path in _OTHERS)
