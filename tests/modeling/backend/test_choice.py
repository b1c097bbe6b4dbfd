"""Which device does the work: what is asked for, what the driver says, and what Keras sees."""

import os
import sys

import pytest

from fercomp.core.errors import FercompError
from fercomp.modeling.backend import choice
from fercomp.modeling.backend.choice import choose_device, hide_gpus, nvidia_gpus

CARD = "Tesla T4, 15360 MiB"


def machine(cards=(), seen=(), backend="tensorflow"):
    """Says what a machine's driver and Keras say; the list is how often Keras was asked."""
    asked = []

    def sees():
        asked.append(True)
        return backend, seen

    return lambda: cards, sees, asked


@pytest.fixture
def nothing_else(monkeypatch):
    """Neither Keras is imported yet, nor is there a device that NVIDIA did not make."""
    monkeypatch.setattr(choice, "_may_have_another", lambda: False)


@pytest.mark.parametrize(
    ("wanted", "cards", "seen", "device", "asked"),
    [
        ("auto", (), (), "cpu", 0),
        ("auto", (CARD,), ("gpu:0",), "gpu", 1),
        ("auto", (CARD,), (), "cpu", 1),
        ("cpu", (CARD,), ("gpu:0",), "cpu", 0),
        ("gpu", (CARD,), ("gpu:0",), "gpu", 1),
        ("gpu", (), ("tpu:0",), "gpu", 1),
    ],
)
def test_the_device_that_is_there_is_taken(nothing_else, wanted, cards, seen, device, asked):
    driver, sees, times = machine(cards, seen)
    assert choose_device(wanted, driver, sees) == device
    assert len(times) == asked, "Keras takes seconds to import"


def test_another_kind_of_gpu_is_found_without_nvidias_driver(monkeypatch):
    monkeypatch.setattr(choice, "_may_have_another", lambda: True)
    driver, sees, _ = machine((), ("cuda:0",), "torch")
    assert choose_device("auto", driver, sees) == "gpu"


@pytest.mark.parametrize(
    ("backend", "extra"), [("tensorflow", "cuda"), ("jax", "jax-cuda"), ("torch", "torch")]
)
def test_a_driver_without_its_libraries_is_one_line_said_once(nothing_else, capfd, backend, extra):
    driver, sees, _ = machine((CARD,), (), backend)
    for _ in range(2):
        assert choose_device("auto", driver, sees) == "cpu"
    told = capfd.readouterr().err
    assert told.startswith(
        f"{backend} sees no GPU, nvidia-smi shows {CARD}: install NVIDIA's libraries "
        f"(fercomp's extra `{extra}`; ./run"
    )
    assert told.endswith("going on on the CPU\n")
    assert told.count("\n") == 1


def test_a_gpu_that_is_asked_for_and_missing_is_an_error(nothing_else, monkeypatch):
    told = pytest.raises(FercompError, match="device is gpu, but tensorflow sees no GPU, nvidia-smi does not")
    with told:
        choose_device("gpu", *machine()[:2])
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(FercompError, match="WSL 2, or set KERAS_BACKEND=torch; or set it to auto"):
        choose_device("gpu", *machine((CARD,))[:2])


@pytest.mark.parametrize(
    ("script", "cards"),
    [
        (f"echo '{CARD}'; echo '{CARD}'", (CARD, CARD)),
        ("echo 'Failed to initialize NVML'; exit 9", ()),
        ("exec /bin/sleep 60", ()),
        (None, ()),
    ],
)
def test_nvidias_driver_is_asked_and_may_not_answer(tmp_path, monkeypatch, script, cards):
    if script:
        (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(choice, "_ANSWERS", 0.5)
    assert nvidia_gpus.__wrapped__() == cards


def test_gpus_are_hidden_from_what_is_started_later(monkeypatch):
    monkeypatch.setattr(os, "environ", environment := dict(os.environ))
    hide_gpus()
    assert environment["CUDA_VISIBLE_DEVICES"] == "-1"
    assert environment["JAX_PLATFORMS"] == environment["KERAS_TORCH_DEVICE"] == "cpu"
