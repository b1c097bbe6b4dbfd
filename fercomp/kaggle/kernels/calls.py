"""Kernels at Kaggle: private scripts with a GPU that run on Kaggle's machines."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from fercomp.core.errors import FercompError
from fercomp.kaggle.client.account import Account
from fercomp.kaggle.client.answers import whole
from fercomp.kaggle.client.credentials import SETTINGS
from fercomp.kaggle.client.refusals import PAGE, Refused, printable

CODE_PAGE: Final = "https://www.kaggle.com/code"

GPU: Final = "NvidiaTeslaT4"
"""What is asked for: the P100 is retired, and of two T4 only one would be used."""

LAST_LINES: Final = 15
"""Lines of its log that are shown of a kernel that failed."""

_PHONE: Final = re.compile(r"phone|verif", re.IGNORECASE)
_QUOTA: Final = re.compile(r"quota|weekly|hours? (left|remaining)", re.IGNORECASE)

KernelState = Literal["queued", "running", "complete", "error", "cancelled"]

AT_WORK: Final = ("queued", "running")
"""States of a kernel that has not ended."""


@dataclass(frozen=True)
class Kernel:
    """A kernel of this account.

    Attributes:
        slug: The last part of its address.
        version: Its newest one, from 1.
        source: The text of that.
    """

    slug: str
    version: int
    source: str


@dataclass(frozen=True)
class KernelStatus:
    """How far a kernel is, and why it failed in Kaggle's words, if it did."""

    state: KernelState
    failure: str


@dataclass(frozen=True)
class KernelOutput:
    """What a kernel has left.

    Attributes:
        files: Signed addresses by name.
        log: Lines that it printed.
    """

    files: dict[str, str]
    log: list[str]


@dataclass(frozen=True)
class Push:
    """What a kernel is made of.

    Attributes:
        slug: The last part of its address; 5 to 50 small letters, digits and dashes.
        text: The script.
        gpu: Whether it gets a GPU.
        internet: Whether it may install packages.
        seconds: How long it may run.
        datasets: Of this account, by the last part of their addresses.
        kernels: Whose output it reads, likewise.
    """

    slug: str
    text: str
    gpu: bool
    internet: bool
    seconds: int
    datasets: Sequence[str] = ()
    kernels: Sequence[str] = ()


def kernel_page(kaggle: Account, slug: str) -> str:
    """Returns the address of a kernel."""
    return f"{CODE_PAGE}/{kaggle.owner}/{slug}"


def find_kernel(kaggle: Account, slug: str) -> Kernel | None:
    """Looks for a kernel of this account; `None` where it is not there."""
    try:
        answer = kaggle.call("kernels", "GetKernel", user_name=kaggle.owner, kernel_slug=slug)
    except Refused as error:
        if error.is_missing:
            return None
        raise
    with kaggle.told(competition=False):
        version = whole(answer.metadata.current_version_number) if answer.metadata else 0
        source = answer.blob.source if answer.blob else ""
        return Kernel(slug, version, source if isinstance(source, str) else "")


def save_kernel(kaggle: Account, push: Push) -> int:
    """Pushes a private kernel, which begins to run.

    Returns:
        The number of its version, 0 where Kaggle does not say it.

    Raises:
        Refused: Kaggle does not take it, which it also says in an answer that is none of an error.
    """
    answer = kaggle.call(
        "kernels",
        "SaveKernel",
        slug=f"{kaggle.owner}/{push.slug}",
        new_title=push.slug.replace("-", " "),  # the title makes the address
        text=push.text,
        language="python",
        kernel_type="script",
        is_private=True,
        enable_gpu=push.gpu,
        machine_shape=GPU if push.gpu else None,
        enable_internet=push.internet,
        session_timeout_seconds=push.seconds,
        competition_data_sources=[kaggle.competition],
        dataset_data_sources=[f"{kaggle.owner}/{slug}" for slug in push.datasets],
        kernel_data_sources=[f"{kaggle.owner}/{slug}" for slug in push.kernels],
    )
    with kaggle.told(competition=False):
        if error := printable(answer.error):
            raise Refused(_not_taken(error))
        if answer.invalid_competition_sources:
            raise Refused(
                f"Kaggle does not give the files of {kaggle.competition} to a kernel of this account: join "
                f"the competition and accept its rules at {PAGE}/{kaggle.competition}/rules, then try again"
            )
        invalid = [*answer.invalid_dataset_sources, *answer.invalid_kernel_sources]
        if invalid:
            raise Refused(
                f"Kaggle does not know {', '.join(map(printable, invalid))}, which the kernel reads: it was "
                "deleted, or is not ready yet; try again in a few minutes"
            )
        return whole(answer.version_number)


def _not_taken(reason: str) -> str:
    if _PHONE.search(reason):
        return (
            f"Kaggle gives this account no GPU or no internet ({reason}): verify a phone number at "
            f"{SETTINGS}, then try again"
        )
    if _QUOTA.search(reason):
        return f"Kaggle has no GPU hours left for this account ({reason}): `fercomp kernels` says until when"
    return f"Kaggle does not take the kernel: {reason}"


def kernel_status(kaggle: Account, slug: str) -> KernelStatus:
    """Asks how far a kernel is."""
    answer = kaggle.call("kernels", "GetKernelSessionStatus", user_name=kaggle.owner, kernel_slug=slug)
    with kaggle.told(competition=False):
        states: dict[str, KernelState] = {
            "RUNNING": "running",
            "COMPLETE": "complete",
            "ERROR": "error",
            "CANCEL_REQUESTED": "cancelled",
            "CANCEL_ACKNOWLEDGED": "cancelled",
        }
        return KernelStatus(states.get(answer.status.name, "queued"), printable(answer.failure_message))


def kernel_output(kaggle: Account, slug: str) -> KernelOutput:
    """Lists what a kernel has left."""
    files: dict[str, str] = {}
    log: list[str] = []
    for page in kaggle.pages("kernels", "ListKernelSessionOutput", user_name=kaggle.owner, kernel_slug=slug):
        with kaggle.told(competition=False):
            files.update({printable(one.file_name): str(one.url) for one in page.files})
            log = log or read_log(page.log)
    return KernelOutput(files, log)


def read_log(text: object) -> list[str]:
    r"""Reads a kernel's log: JSON pieces of what was printed, or plain text.

    Examples:
        >>> read_log('[{"stream_name": "stdout", "time": 1.5, "data": "one\ntwo\n"}]')
        ['one', 'two']
    """
    written = text if isinstance(text, str) else ""
    try:
        events: Any = json.loads(written)
    except (ValueError, RecursionError):
        events = written
    if isinstance(events, list):
        pieces = [event.get("data") for event in events if isinstance(event, dict)]
        written = "".join(piece for piece in pieces if isinstance(piece, str))
    return [line for line in map(printable, re.split(r"[\r\n]+", written)) if line]


def delete_kernel(kaggle: Account, slug: str) -> None:
    """Deletes a kernel, which ends its run; Kaggle's client knows no other way to a running one."""
    answer = kaggle.call("kernels", "DeleteKernel", user_name=kaggle.owner, kernel_slug=slug)
    with kaggle.told(competition=False):
        if error := printable(answer.error_message):
            raise Refused(f"Kaggle does not delete {slug}: {error}")


def gpu_hours_left(kaggle: Account) -> tuple[float, float] | None:
    """Asks for the account's hours on GPUs: those left, and those of a week; `None` where it is not told."""
    try:
        answer = kaggle.call("kernels", "GetAcceleratorQuotaStatistics")
        with kaggle.told(competition=False):
            allowed = answer.gpu_quota.total_time_allowed.total_seconds() / 3600
            used = answer.gpu_quota.time_used.total_seconds() / 3600
    except FercompError:  # a question that stops nothing
        return None
    return max(0.0, allowed - used), allowed
