"""Processes, on one host or several, that train one network together: they meet, agree, and part.

They are started with the variables that `keras.distribution` reads, by whatever starts processes. What is
shared between them then is said by `backend.share`.
"""

import hashlib
import math
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature
from typing import Final

from fercomp.core.errors import FercompError, in_brief
from fercomp.core.polling import paced

_ADDRESSES: Final = "KERAS_DISTRIBUTION_JOB_ADDRESSES"
_COUNT: Final = "KERAS_DISTRIBUTION_NUM_PROCESSES"
_NUMBER: Final = "KERAS_DISTRIBUTION_PROCESS_ID"
_MOST: Final = 2**16
"""Processes, and ports."""

_TIMEOUTS: Final = ("initialization_timeout", "heartbeat_timeout_seconds", "shutdown_timeout_seconds")
"""What JAX calls its patience, in seconds; old versions have the first alone, and 100 s for silence."""

_BETWEEN: Final = 1.0
"""Seconds between two looks at whether process 0 is there."""


@dataclass(frozen=True)
class Hosts:
    """The processes that train together, and which of them this is.

    Attributes:
        address: Where process 0 is reached, `host:port`.
        count: How many there are, 2 or more.
        number: Which of them this is, counted from 0.
    """

    address: str
    count: int
    number: int


def asked_hosts(variables: Mapping[str, str] | None = None) -> Hosts | None:
    """Reads from the environment whether others train with this process.

    Args:
        variables: The environment, by default that of this process.

    Returns:
        The processes; `None` where this one is alone.

    Raises:
        FercompError: A variable is missing, or is not what it should be.
    """
    given = os.environ if variables is None else variables
    names = (_ADDRESSES, _COUNT, _NUMBER)
    if not any(name in given for name in names):
        return None
    for name in names:
        if not given.get(name):
            raise FercompError(f"{name} is not set: a training over several hosts needs {', '.join(names)}")
    count, number = _whole(given, _COUNT, 1), _whole(given, _NUMBER, 0)
    if number >= count:
        raise FercompError(
            f"{_NUMBER} is {number}, but {_COUNT} is {count}: give each process another number, from 0 to "
            f"{count - 1}"
        )
    addresses = given[_ADDRESSES].split(",")
    if len(addresses) not in (1, count):
        raise FercompError(
            f"{_ADDRESSES} has {len(addresses)} addresses, but {_COUNT} is {count}: give one for each "
            "process, or that of process 0 alone"
        )
    address = addresses[0].strip()
    host, _, port = address.rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < _MOST):
        raise FercompError(f"{_ADDRESSES} is {address!r}: expected host:port, such as 10.0.0.1:12345")
    return Hosts(address, count, number) if count > 1 else None


def _whole(given: Mapping[str, str], name: str, least: int) -> int:
    text = given[name].strip()
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
    if not least <= value <= _MOST:
        raise FercompError(f"{name} is {given[name]!r}: expected a whole number from {least} to {_MOST}")
    return value


def join(hosts: Hosts, seconds: float) -> None:
    """Waits for the other processes; their devices and this one's are one list then.

    To be called before Keras computes anything.

    Args:
        hosts: The processes.
        seconds: How long to wait, and how long one of them may be silent later on.

    Raises:
        FercompError: They do not meet, or Keras does not run on JAX.
    """
    from fercomp.modeling.backend.engine import keras

    if keras.backend.backend() != "jax":
        raise FercompError(
            f"{_COUNT} is {hosts.count}, and Keras runs on {keras.backend.backend()}: over several processes "
            "only JAX trains, so set KERAS_BACKEND=jax"
        )
    import jax

    patience, start = math.ceil(seconds), jax.distributed.initialize
    try:
        if hosts.number > 0:
            _find(hosts.address, patience)  # JAX would end this process, and not in one line
        start(
            hosts.address,
            hosts.count,
            hosts.number,
            cluster_detection_method="deactivate",
            **{name: patience for name in _TIMEOUTS if name in signature(start).parameters},
        )
    except (OSError, RuntimeError) as error:
        raise FercompError(
            f"process {hosts.number} has not met the other ones at {hosts.address} within {patience} s "
            f"({in_brief(error)}): start one process with each {_NUMBER} from 0 to "
            f"{hosts.count - 1}, and give an address at which all of them reach process 0 and whose port is "
            "free there; or set machine.hosts_wait higher"
        ) from error


def _find(address: str, seconds: float) -> None:
    """Waits until somebody answers at an address; raises `OSError` where nobody does in time."""
    host, _, port = address.rpartition(":")
    why = ""
    for _ in paced(_BETWEEN, patience=seconds - _BETWEEN):
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=_BETWEEN).close()
            return
        except (OSError, UnicodeError) as error:
            why = str(error)
    raise OSError(why)


def agree(what: Mapping[str, str]) -> None:
    """Compares what processes that have met are about to do; all of them have to call this.

    Args:
        what: What has to be the same, by the words for it.

    Raises:
        FercompError: It differs; all of them are told so.
    """
    if processes() == 1:
        return
    import jax
    import numpy as np
    from jax.experimental import multihost_utils

    what = {**what, "number of devices": str(jax.local_device_count())}
    digests = [hashlib.sha256(text.encode()).digest() for text in what.values()]
    mine = np.frombuffer(b"".join(digests), np.uint32).reshape(len(what), -1)
    everyones = np.asarray(multihost_utils.process_allgather(mine))
    differ = (everyones != everyones[0]).any(axis=2)
    for number in range(len(everyones)):
        if differ[number].any():
            names = ", ".join(name for name, other in zip(what, differ[number], strict=True) if other)
            raise FercompError(
                f"process {number} differs from process 0 in: {names}. All of them need the same command, "
                "params.yaml, photos, tables and folder of models, so one disk or equal copies"
            )


def processes() -> int:
    """Returns how many processes have met, with this one."""
    jax = sys.modules.get("jax")
    return int(jax.process_count()) if jax and jax.distributed.is_initialized() else 1


def leave() -> None:
    """Waits until all processes are here, and ends what connects them."""
    import jax
    from jax.experimental import multihost_utils

    multihost_utils.sync_global_devices("end of training")  # the next waits for seconds only
    jax.distributed.shutdown()


@contextmanager
def with_others(hosts: Hosts) -> Iterator[None]:
    """Says in one line where the other processes cannot be reached any more.

    Args:
        hosts: The processes.
    """
    import jax

    from fercomp.modeling.backend.devices import is_out_of_memory

    try:
        yield
    except (jax.errors.JaxRuntimeError, ValueError) as error:
        if is_out_of_memory(error):
            raise FercompError(
                f"the batch did not fit into the memory of process {hosts.number}: with several hosts, set "
                "train.batch_size to half of it and train.accumulate to twice as much"
            ) from error
        if isinstance(error, ValueError) and "Gloo" not in str(error):
            raise
        raise lost(hosts) from error


def lost(hosts: Hosts) -> FercompError:
    """Builds the error where another process has ended."""
    return FercompError(
        f"process {hosts.number}: another one of the {hosts.count} did not come, has ended, or cannot be "
        "reached any more; what it said last tells why. Start the same command again on all hosts: it goes "
        "on after the last finished epoch"
    )
