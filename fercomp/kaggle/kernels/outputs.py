"""What a kernel has left, brought here: each file is known by its SHA-256 in the kernel's manifest.

The manifest is a stranger's text until it is checked: no name leads out of a folder, and no file is larger
than it says.
"""

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Literal

import requests
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from fercomp.core.errors import FercompError
from fercomp.core.files import require_space, sha256
from fercomp.core.progress import say
from fercomp.core.reading import first_problem, is_there, read_at_most
from fercomp.kaggle.client.account import Account
from fercomp.kaggle.client.receive import forget, part_of, receive, record_of
from fercomp.kaggle.client.refusals import Unanswered, storage_says
from fercomp.kaggle.kernels.calls import KernelOutput, kernel_output, kernel_page

MANIFEST: Final = "fercomp/manifest.json"

MOST_BYTES: Final = 20 * 10**9
"""Of all files: what Kaggle keeps of a kernel."""

_LARGEST_MANIFEST: Final = 2**24
_NAME: Final = re.compile(r"[\w.+ -]+(/[\w.+ -]+)*", re.ASCII)
_ATTEMPTS: Final = 2
"""How often a file is brought whose bytes are not those of the manifest."""


class OutputEntry(BaseModel):
    """A file of a manifest: where it goes, how it is called at Kaggle, and what it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    stored: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int = Field(ge=0, le=MOST_BYTES)

    @field_validator("path", "stored")
    @classmethod
    def _leads_nowhere(cls, name: str) -> str:
        parts = name.split("/")
        if not _NAME.fullmatch(name) or any(not part.strip(". ") for part in parts) or len(name) > 500:
            raise ValueError(f"{name!r} is not a plain path")
        return name


class Manifest(BaseModel):
    """What a kernel says that it has left.

    Attributes:
        run: Whose output it is, see `RemoteRun.run`.
        slug: The kernel's.
        state: `done`, or `cut` where the next kernel goes on.
        files: All files.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str
    slug: str
    state: Literal["done", "cut"]
    files: tuple[OutputEntry, ...]


class _File:
    """A file of a kernel as a source for `receive`. A signed address is good for a while only."""

    def __init__(self, kaggle: Account, slug: str, name: str, address: str) -> None:
        self._kaggle, self._slug, self._name, self._address = kaggle, slug, name, address

    def archive(self) -> requests.Response:
        address, self._address = self._address, ""
        address = address or kernel_output(self._kaggle, self._slug).files.get(self._name, "")
        if not address:
            raise Unanswered(f"Kaggle does not list {self._name}")
        with self.told():
            try:
                return self._kaggle.storage.whole(address)
            except requests.HTTPError as error:
                if error.response is None:
                    raise
                raise storage_says(error.response) from error

    def archive_from(self, address: str, start: int, identity: str) -> requests.Response:
        with self.told():
            return self._kaggle.storage.rest(address, start, identity)

    def told(self) -> AbstractContextManager[None]:
        return self._kaggle.told(competition=False)


def read_manifest(kaggle: Account, slug: str, run: str, output: KernelOutput, folder: Path) -> Manifest:
    """Brings a kernel's manifest.

    Args:
        kaggle: The account.
        slug: The kernel.
        run: Whose output it has to be.
        output: What `kernel_output` gave.
        folder: Where it is kept.

    Raises:
        FercompError: There is none, or it is not one of this run.
    """
    page = kernel_page(kaggle, slug)
    if MANIFEST not in output.files:
        raise FercompError(f"the kernel has ended and left no {MANIFEST}: look at {page}")
    path = folder / f"{slug}.manifest.json"
    _cleared(path).unlink(missing_ok=True)
    _bring(kaggle, slug, MANIFEST, output.files[MANIFEST], path, _LARGEST_MANIFEST)
    try:
        manifest = Manifest.model_validate_json(read_at_most(path, _LARGEST_MANIFEST))
        path.unlink()
    except ValidationError as error:
        raise FercompError(
            f"the manifest of {page} is not one of fercomp's ({first_problem(error)}): nothing was taken"
        ) from error
    if (manifest.run, manifest.slug) != (run, slug):
        raise FercompError(f"the manifest of {page} is that of another run: nothing was taken")
    if sum(file.bytes for file in manifest.files) > MOST_BYTES:
        raise FercompError(f"{page} says that it left more than {MOST_BYTES:,} bytes: nothing was taken")
    if len({file.path for file in manifest.files}) < len(manifest.files):
        raise FercompError(f"the manifest of {page} names a file twice: nothing was taken")
    return manifest


def bring_files(
    kaggle: Account, slug: str, files: Sequence[OutputEntry], output: KernelOutput, folder: Path
) -> None:
    """Brings files of a kernel, each as `folder/<sha256>`. What is there and whole is not brought again.

    Raises:
        FercompError: One does not come, is not what the manifest says, or the disk has no room.
    """
    wanted = {file.sha256: file for file in files}
    places = {file: _cleared(folder / file.sha256) for file in wanted.values()}
    missing = [file for file, path in places.items() if not path.exists() or sha256(path) != file.sha256]
    require_space(folder, sum(file.bytes for file in missing))
    for file in missing:
        name, path = f"fercomp/{file.stored}", places[file]
        for left in reversed(range(_ATTEMPTS)):
            address = output.files.get(name, "") if left else ""
            _bring(kaggle, slug, name, address, path, file.bytes)
            if path.stat().st_size == file.bytes and sha256(path) == file.sha256:
                break
            path.unlink()
            if not left:
                raise FercompError(
                    f"{name} of {kernel_page(kaggle, slug)} is not what its manifest says: try again"
                )
            say(f"{name} is not what the manifest says: bringing it once more")


def forget_files(files: Sequence[OutputEntry], folder: Path) -> None:
    """Removes what `bring_files` brought, and what a killed run left of it."""
    for name in {file.sha256 for file in files}:
        (folder / name).unlink(missing_ok=True)
        forget(part_of(folder / name))


def _cleared(path: Path) -> Path:
    """Returns a place of ours without the link that may be there: nothing is read or written elsewhere.

    Raises:
        FercompError: A folder or a pipe is there.
    """
    if path.is_symlink():
        path.unlink()
    is_there(path)
    return path


def _bring(kaggle: Account, slug: str, name: str, address: str, path: Path, limit: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = _cleared(part_of(path))
    _cleared(record_of(part))
    source = _File(kaggle, slug, name, address)
    remedy = f"look at {kernel_page(kaggle, slug)}"
    receive(source, part, 0, remedy=remedy, begins=b"", limit=limit)
    part.replace(path)
    forget(part)
