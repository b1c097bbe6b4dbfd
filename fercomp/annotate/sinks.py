"""Where annotated pictures and their records go."""

import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self

import numpy as np
from PIL import Image

from fercomp.annotate.records import FACE, NO_FACE, RecordAppender, Row, columns, read_records, write_records
from fercomp.annotate.sources import Photo
from fercomp.core.errors import FercompError
from fercomp.core.files import atomic_file, write_json
from fercomp.core.progress import say
from fercomp.data.images import IMAGE_SUFFIXES, ImageProblem

RECORDS: Final = "records.csv"
SETTINGS: Final = "run.json"

_OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        # Full colour resolution: the usual half of it frays coloured labels.
        "JPEG": {"quality": 92, "subsampling": "4:4:4"},
        "PNG": {"compress_level": 1},
        "TIFF": {"compression": "tiff_lzw"},
        "WEBP": {"quality": 92, "method": 2},
    }
)
"""What Pillow's encoders are told, by format; the others have nothing to choose."""


def encode(photo: Photo, image: np.ndarray) -> bytes:
    """Encodes the annotated copy of a photo in the photo's own format.

    Args:
        photo: The photo, by whose suffix the format is chosen; PNG where it is no picture's.
        image: `(h, w, 3)` uint8 RGB.

    Returns:
        The bytes of the file.

    Raises:
        ImageProblem: A side has more pixels than the format can count.
    """
    kind = Image.registered_extensions()[Path(_copy_name(photo)).suffix.lower()]
    data = BytesIO()
    try:
        Image.fromarray(image).save(data, kind, **_OPTIONS.get(kind, {}))
    except (OSError, ValueError, OverflowError) as error:
        shape = f"{image.shape[1]}x{image.shape[0]}"
        raise ImageProblem(
            "unsupported", f"{photo.path} has {shape} pixels, too many for {kind}: make it smaller"
        ) from error
    return data.getvalue()


def _copy_name(photo: Photo) -> str:
    return photo.file if Path(photo.file).suffix.lower() in IMAGE_SUFFIXES else photo.file + ".png"


class PhotoFolder:
    """A folder of annotated copies with `records.csv`, which goes on where an earlier run ended.

    `run.json` says by what the records were made. Where it says something else, the records start anew.
    A photo is done when its rows are on record and its copy is there and is not older than the photo;
    so what was changed, removed or could not be read is done again.

    Args:
        folder: The folder, made if missing.
        root: The folder that the photos are in.
        photos: All photos that are to be on record in the end.
        classes: The model's class names.
        settings: What the results depend on, as JSON values.

    Raises:
        FercompError: Copies would overwrite the photos themselves.
    """

    def __init__(
        self,
        folder: Path,
        root: Path,
        photos: Sequence[Photo],
        classes: Sequence[str],
        settings: Mapping[str, object],
    ) -> None:
        here, there = root.resolve(), folder.resolve()
        sources = {f"{here}/{photo.file}" for photo in photos}
        if any(f"{there}/{photo.file}" in sources for photo in photos):
            raise FercompError(f"copies in {folder} would overwrite the photos: choose another --output")
        self.folder = folder
        self.records_file = folder / RECORDS
        self._photos = photos
        self._columns = columns(classes)
        self._settings = dict(settings)

    def __enter__(self) -> Self:
        kept = self._kept()
        # The records first: a kill between the two leaves other settings, so the next run starts anew.
        write_records(self.records_file, self._columns, kept.values())
        write_json(self.folder / SETTINGS, self._settings)
        self.todo = [photo for photo in self._photos if photo.file not in kept]
        self._appender = RecordAppender(self.records_file, self._columns)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._appender.__exit__(kind, error, trace)
        if kind is None:  # what an earlier run left out comes to its place
            records = self.records()
            ordered = [photo.file for photo in self._photos if photo.file in records]
            if ordered != list(records):
                write_records(self.records_file, self._columns, [records[file] for file in ordered])

    def write(self, photo: Photo, rows: Sequence[Row], copy: bytes | None) -> None:
        """Writes the annotated copy of a photo, if there is one, and then puts its rows on record."""
        if copy is not None:
            with atomic_file(self.copy_of(photo)) as temporary:
                temporary.write_bytes(copy)
        self._appender.append(rows)

    def records(self) -> dict[str, list[Row]]:
        """Returns all rows on record by `file`."""
        return read_records(self.records_file, self._columns)

    def copy_of(self, photo: Photo) -> Path:
        """Returns the path of a photo's copy, which mirrors its own."""
        return self.folder / _copy_name(photo)

    def _kept(self) -> dict[str, list[Row]]:
        before = _read_settings(self.folder / SETTINGS)
        if before != self._settings:
            if before is not None:
                keys = sorted({*before, *self._settings})
                changed = [key for key in keys if before.get(key) != self._settings.get(key)]
                say(f"{self.records_file} was made with another {', '.join(changed)}: starting anew")
            return {}
        records = self.records()
        return {
            photo.file: records[photo.file]
            for photo in self._photos
            if photo.file in records and self._is_done(photo, records[photo.file])
        }

    def _is_done(self, photo: Photo, rows: Sequence[Row]) -> bool:
        try:
            fresh = self.copy_of(photo).stat().st_mtime_ns >= photo.path.stat().st_mtime_ns
        except OSError:
            return False
        return fresh and rows[0]["status"] in (FACE, NO_FACE)


def _read_settings(path: Path) -> dict[str, object] | None:
    """Returns what an earlier run was made with: nothing known if damaged, `None` without such a run."""
    if not path.is_file():
        return None
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return settings if isinstance(settings, dict) else {}
