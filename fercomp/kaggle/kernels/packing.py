"""What travels to a kernel: fercomp's own code, and the files that a command reads.

All of it is one archive. A small one is written into the kernel's text: nothing else has to be uploaded, be
ready or be cleaned away, and the text says which code ran. Kaggle takes at most a megabyte of text; a larger
archive, such as one with a model, is a private dataset. Source is sent, not a wheel: DVC's stages need it.
"""

import base64
import hashlib
import importlib.metadata
import io
import json
import re
import tarfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from fercomp.core.errors import FercompError
from fercomp.core.files import atomic_file, sha256
from fercomp.core.paths import SHIPPED, SHIPPED_LARGE
from fercomp.kaggle.kernels import script
from fercomp.kaggle.kernels.packages import package_name
from fercomp.kaggle.kernels.work import KernelJob

PACKAGE: Final = Path(__file__).parents[2]

LARGEST_TEXT: Final = 900_000
"""Bytes of a kernel's text: Kaggle refuses more than a megabyte."""

_LEFT_HERE: Final = (SHIPPED, SHIPPED_LARGE, "__pycache__", "drawn.zip")
"""Of the package: models, the demo's pictures, and what Python compiled."""

_SECRET: Final = re.compile(r"(kaggle|credentials)\.json|access_token(\.txt)?")

_PACKED_SMALL: Final = 2**26
"""Bytes up to which the archive may become small enough for the text, so that it is compressed."""

_NEVER_THERE: Final = {"kaggle", "six", "fastapi", "uvicorn", "h11", "websockets", "nncf"}
"""The client, pages and 8-bit graphs, which no command needs that runs in a kernel."""

_FOR_PIPELINES: Final = {"av", "dvc", "cleanlab"}
"""What `repro` alone needs there."""


@dataclass(frozen=True)
class Packed:
    """An archive for a kernel.

    Attributes:
        path: The file.
        sha256: Of its bytes.
        inline: Whether it fits into the kernel's text.
    """

    path: Path
    sha256: str
    inline: bool

    @property
    def name(self) -> str:
        """What it is called in a dataset: not as an archive, which Kaggle would unpack."""
        return f"fercomp-{self.sha256[:16]}.bin"


def pack(target: Path, files: Mapping[str, Path | bytes]) -> Packed:
    """Writes the archive: the same bytes for the same files.

    Args:
        target: Where to.
        files: What goes in besides the code, by its path in the kernel's folder.
    """
    code = {f"fercomp/{path.relative_to(PACKAGE).as_posix()}": path for path in code_files()}
    entries = {**code, **files}
    is_large = sum(_size(entry) for entry in entries.values()) > _PACKED_SMALL
    mode: Literal["w", "w:xz"] = "w" if is_large else "w:xz"
    with atomic_file(target) as temporary, tarfile.open(temporary, mode) as archive:
        for name, entry in sorted(entries.items()):
            info = tarfile.TarInfo(name)
            info.size = _size(entry)
            with io.BytesIO(entry) if isinstance(entry, bytes) else entry.open("rb") as file:
                archive.addfile(info, file)
    return packed_at(target)


def packed_at(path: Path) -> Packed:
    """Describes an archive that is there."""
    return Packed(path, sha256(path), path.stat().st_size * 5 / 4 + 2**16 < LARGEST_TEXT)


def code_files() -> list[Path]:
    """Lists the files of fercomp's own code, without what is hidden, or named as credentials are."""
    every = (path for path in PACKAGE.rglob("*") if path.is_file())
    inside = ((path, path.relative_to(PACKAGE).parts) for path in every)
    return sorted(path for path, names in inside if not any(map(_is_left_here, names)))


def _is_left_here(name: str) -> bool:
    return name in _LEFT_HERE or name.startswith(".") or bool(_SECRET.fullmatch(name))


def _size(entry: Path | bytes) -> int:
    return len(entry) if isinstance(entry, bytes) else entry.stat().st_size


def fingerprint_of(words: Sequence[str], competition: str, files: Mapping[str, Path | bytes]) -> str:
    """Returns a SHA-256 over what a run depends on, apart from the code."""
    digests = {
        name: hashlib.sha256(entry).hexdigest() if isinstance(entry, bytes) else sha256(entry)
        for name, entry in files.items()
    }
    return hashlib.sha256(
        json.dumps([list(words), competition, sorted(digests.items())]).encode()
    ).hexdigest()


def tag_line(run: str) -> str:
    """Returns the first line of a kernel's text, by which it is known as ours."""
    return f"# fercomp run {run}"


def kernel_text(job: KernelJob, packed: Packed) -> str:
    """Writes the script that a kernel runs.

    Args:
        job: What `script.JOB` is to be.
        packed: What it unpacks.

    Raises:
        FercompError: It is longer than Kaggle takes.
    """
    content = base64.b85encode(packed.path.read_bytes()).decode() if packed.inline else ""
    source = Path(script.__file__).read_text(encoding="utf-8")
    for empty, filled in (
        ('json.loads("{}")', f"json.loads({job.model_dump_json()!r})"),
        ('PAYLOAD: str = ""', f'PAYLOAD: str = "{content}"'),
    ):
        if source.count(empty) != 1:
            raise AssertionError(f"script.py has no single {empty}")
        source = source.replace(empty, filled)
    text = f"{tag_line(job.run)}\n{source}"
    if len(text.encode()) > LARGEST_TEXT:
        raise FercompError(f"the kernel's text has {len(text):,} bytes, Kaggle takes {LARGEST_TEXT:,}")
    return text


def needed_packages(everything: bool) -> tuple[str, ...]:
    """Lists what fercomp requires, as pip writes it, of what runs in a kernel.

    Args:
        everything: Whether a whole pipeline runs there.
    """
    project = PACKAGE.with_name("pyproject.toml")
    if project.is_file():  # a clone of the repository, in which what is installed may be older
        lines = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"]
    else:
        lines = importlib.metadata.requires("fercomp") or []
    left_out = _NEVER_THERE if everything else _NEVER_THERE | _FOR_PIPELINES
    return tuple(line for line in lines if "extra ==" not in line and package_name(line) not in left_out)
