"""Processes that train together: what the environment says of them, and when they do not meet."""

import socket

import pytest

from fercomp.core.errors import FercompError
from fercomp.modeling.backend.engine import keras
from fercomp.modeling.backend.hosts import Hosts, agree, asked_hosts, join, processes

NAMES = [f"KERAS_DISTRIBUTION_{name}" for name in ("JOB_ADDRESSES", "NUM_PROCESSES", "PROCESS_ID")]


def variables(*values):
    return {name: value for name, value in zip(NAMES, values, strict=True) if value is not None}


def test_without_variables_or_with_one_process_nobody_else_trains(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    assert asked_hosts() is None
    assert asked_hosts(variables("10.0.0.1:1234", "1", "0")) is None


def test_the_first_address_is_that_of_process_0():
    assert asked_hosts(variables("10.0.0.1:1234", "2", "1")) == Hosts("10.0.0.1:1234", 2, 1)
    assert asked_hosts(variables("[::1]:80, b:80", " 2", "0")) == Hosts("[::1]:80", 2, 0)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ((None, "2", "0"), "JOB_ADDRESSES is not set"),
        (("a:1", None, "0"), "NUM_PROCESSES is not set"),
        (("a:1", "2", ""), "PROCESS_ID is not set"),
        (("a:1", "2", "2"), "give each process another number, from 0 to 1"),
        (("a:1", "2", "-1"), "expected a whole number from 0"),
        (("a:1", "0", "0"), "expected a whole number from 1"),
        (("a:1", "two", "0"), "expected a whole number"),
        (("a:1", "9" * 5000, "0"), "expected a whole number"),
        (("a:1", "\u0662", "0"), "expected a whole number"),
        (("a:1,b:1,c:1", "2", "0"), "has 3 addresses"),
        (("a", "2", "0"), "expected host:port"),
        ((":80", "2", "0"), "expected host:port"),
        (("a:x", "2", "0"), "expected host:port"),
        (("a:0", "2", "0"), "expected host:port"),
        (("a:" + "9" * 5000, "2", "0"), "expected host:port"),
    ],
)
def test_what_is_wrong_is_said(values, line):
    with pytest.raises(FercompError, match=line):
        asked_hosts(variables(*values))


def test_only_jax_trains_over_processes(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    with pytest.raises(FercompError, match="set KERAS_BACKEND=jax"):
        join(Hosts("127.0.0.1:9", 2, 0), 1)


def test_one_process_agrees_with_itself():
    assert processes() == 1
    agree({"photos": "any"})


def test_nobody_answers(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # nobody listens
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(
            FercompError, match=f"process 1 has not met the other ones at {address} within 1 s"
        ):
            join(Hosts(address, 2, 1), 1)
    with pytest.raises(FercompError, match=r"at nowhere\.invalid:80 within 1 s"):
        join(Hosts("nowhere.invalid:80", 2, 1), 1)
