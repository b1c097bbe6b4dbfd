"""A cluster of Ray: how it is reached or started."""

import logging
import os
import platform
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, Final

from fercomp.core.errors import FercompError
from fercomp.core.parallel import threads
from fercomp.core.progress import waiting

_ENVIRONMENT: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # under `uv run` it would upload the working directory
    "RAY_BACKEND_LOG_LEVEL": "fatal",  # its warnings would stand between our lines
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Until it is known that a node has died, calls of its actors fail; without a delay, all tries did.
    "RAY_task_actor_unavailable_retry_delay_base_ms": "1000",
    "RAY_DEDUP_LOGS_SKIP_REGEX": "^",  # all lines: what it says of nodes that have died, it says on stdout
}

_OBJECTS: Final = 2**28
"""Bytes of a local cluster's object store: paths and rows go through it, no pixels."""

_STARTS: Final = 3
"""A node has 30 s to start, which is not much where all cores are busy."""

_ANSWERS: Final = 10.0
"""Seconds for the connection to a cluster."""

_SETTINGS: Final = b"\x04"
"""Type of the frame with which servers of HTTP/2 begin (RFC 9113, 3.4): Ray's speak gRPC, which is HTTP/2."""

_HELLO: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + _SETTINGS + bytes(5)
"""What a client begins with: the preface, and settings without any."""


def require_ray() -> None:
    """Checks that Ray Data is installed.

    Raises:
        FercompError: It is not.
    """
    missing = [name for name in ("ray", "pyarrow") if find_spec(name) is None]
    if missing:
        raise FercompError(
            f"--on ray needs {' and '.join(missing)}: install fercomp's extra `ray` on each machine (in a "
            "clone, `export FERCOMP_EXTRAS=ray` before ./run), or divide the work with --shard"
        )


@contextmanager
def connected(variables: Mapping[str, str] = MappingProxyType({})) -> Iterator[None]:
    """Connects to the cluster at `RAY_ADDRESS`, or starts one on this machine, for as long as the block runs.

    Args:
        variables: What the environment is to have besides, for Ray.

    Raises:
        FercompError: Ray is not installed, no cluster answers at the address, it runs other versions of Ray
            or Python, or none can be started here.
    """
    address = os.environ.get("RAY_ADDRESS") or "local"
    _require_answer(address)
    require_ray()
    for name, value in {**_ENVIRONMENT, **variables}.items():
        os.environ.setdefault(name, value)
    import ray
    import ray.data

    with waiting("starting Ray" if address == "local" else f"connecting to Ray at {address}"):
        _start(ray, address)
    try:
        _quiet(ray)
        yield
    finally:
        ray.shutdown()


def _require_answer(address: str) -> None:
    """Refuses an address where nobody listens, or something else does: Ray would try for minutes."""
    if address in ("local", "auto"):
        return
    host, _, port = address.rpartition(":")
    if not host or "://" in address or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise FercompError(
            f"RAY_ADDRESS={address}: expected the address of a cluster's head, such as 10.0.0.5:6379; run "
            "this command on a machine of the cluster"
        )
    try:
        with socket.create_connection((host.strip("[]"), int(port)), _ANSWERS) as connection:
            if os.environ.get("RAY_USE_TLS") == "1":
                return
            connection.sendall(_HELLO)
            said = connection.recv(4)
    except OSError as error:
        raise FercompError(
            f"no Ray cluster answers at RAY_ADDRESS={address} ({error.strerror or error}): start one with "
            "`ray start --head`, or unset RAY_ADDRESS to work on this machine alone"
        ) from error
    if said[3:] != _SETTINGS:
        raise FercompError(
            f"what answers at RAY_ADDRESS={address} is no Ray cluster: expected the port that `ray start "
            "--head` has named, mostly 6379; 8265 is that of its page"
        )


def _start(ray: Any, address: str) -> None:
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    if address == "local":
        options |= {"num_cpus": threads(), "object_store_memory": _OBJECTS, "include_dashboard": False}
    starts = _STARTS if address == "local" else 1
    for left in reversed(range(starts)):
        try:
            ray.init(address=address, **options)
        except Exception as error:
            ray.shutdown()
            reason = _first_line(error)
            if "ersion mismatch" in str(error):
                raise FercompError(
                    f"the cluster at RAY_ADDRESS={address} runs other versions than this machine, Ray "
                    f"{ray.__version__} and Python {platform.python_version()}: install "
                    f"the same on each ({reason})"
                ) from error
            if not left and address == "local":
                raise FercompError(
                    f"Ray could not be started on this machine ({reason}): see /tmp/ray/session_latest/logs, "
                    "try again when it is less busy, or leave --on ray out"
                ) from error
            if not left:
                raise FercompError(
                    f"no Ray cluster could be joined at RAY_ADDRESS={address} ({reason}): look at `ray "
                    "status` there, and run this command on a machine of the cluster"
                ) from error
        else:
            return


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].strip().rstrip(":.")[:200]


def _quiet(ray: Any) -> None:
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
