"""Where annotated pictures and their records go."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path, PurePosixPath
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self

import cv2
import numpy as np
from PIL import Image

from fercomp.annotate.record_rows import columns
from fercomp.annotate.records import OnRecord, RecordFormat, Records
from fercomp.annotate.sources import Photo, Video
from fercomp.core.errors import FercompError
from fercomp.core.files import atomic_file, write_json
from fercomp.core.progress import say
from fercomp.media.image_formats import IMAGE_SUFFIXES
from fercomp.media.images import ImageProblem

_SETTINGS: Final = "run.json"
TIMELINE: Final = ".timeline.png"

# Full colour resolution: the usual half of it frays coloured labels.
_JPEG: Final = (
    cv2.IMWRITE_JPEG_QUALITY,
    92,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
)
_LONGEST_JPEG: Final = 65_500
"""Longest side that libjpeg writes, in pixels."""

_OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
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
    try:
        # The same bytes from both; but Pillow keeps other threads from Python while it encodes.
        return _jpeg(image) if kind == "JPEG" else _by_pillow(image, kind)
    except (OSError, ValueError, OverflowError, cv2.error) as error:
        shape = f"{image.shape[1]}x{image.shape[0]}"
        raise ImageProblem(
            "unsupported", f"{photo.path} has {shape} pixels, too many for {kind}: make it smaller"
        ) from error


def _jpeg(image: np.ndarray) -> bytes:
    if max(image.shape) > _LONGEST_JPEG:  # OpenCV would print a line of its own
        raise ValueError(f"a side has more than {_LONGEST_JPEG} pixels")
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), _JPEG)
    return data.tobytes()


def _by_pillow(image: np.ndarray, kind: str) -> bytes:
    data = BytesIO()
    Image.fromarray(image).save(data, kind, **_OPTIONS.get(kind, {}))
    return data.getvalue()


def _copy_name(source: Photo | Video) -> str:
    if isinstance(source, Video):
        return str(PurePosixPath(source.file).with_suffix(".mp4"))
    return source.file if Path(source.file).suffix.lower() in IMAGE_SUFFIXES else source.file + ".png"


class OutputFolder:
    """A folder of annotated copies with their records, which goes on where an earlier run ended.

    `run.json` says by what the records were made. Where it says something else, the records start anew.
    A photo or clip is done when its rows are on record and what is written last is there and is not older
    than itself: a photo's copy, a clip's timeline. So what was changed, removed, stopped or could not be
    read is done again.

    Args:
        folder: The folder, made if missing.
        root: The folder that the sources are in.
        sources: All that are to be on record in the end.
        classes: The model's class names.
        settings: What the results depend on, as JSON values.
        kind: Format of the records.

    Raises:
        FercompError: Copies would overwrite the sources themselves.
    """

    def __init__(
        self,
        folder: Path,
        root: Path,
        sources: Sequence[Photo | Video],
        classes: Sequence[str],
        settings: Mapping[str, object],
        kind: RecordFormat = "csv",
    ) -> None:
        self.folder = folder
        self._sources = sources
        self._names = _copy_names(sources)
        here, there = root.resolve(), folder.resolve()
        if {f"{there}/{name}" for name in self._names.values()} & {f"{here}/{s.file}" for s in sources}:
            raise FercompError(f"copies in {folder} would overwrite the originals: choose another --output")
        self.records = Records(folder / f"records.{kind}", columns(classes), kind)
        self._settings = dict(settings)

    def __enter__(self) -> Self:
        kept = self._kept()
        # The records first: a kill between the two leaves other settings, so the next run starts anew.
        self.records.rewrite(kept.values())
        write_json(self.folder / _SETTINGS, self._settings)
        self.todo = [source for source in self._sources if source.file not in kept]
        self.records.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.records.__exit__(kind, error, trace)
        if kind is None:  # what an earlier run left out comes to its place
            index = self.records.index()
            ordered = [source.file for source in self._sources if source.file in index]
            if ordered != list(index):
                self.records.rewrite(index[file] for file in ordered)

    def write_copy(self, photo: Photo, copy: bytes) -> None:
        """Writes the annotated copy of a photo, before its rows come on record; from any thread."""
        with atomic_file(self.copy_of(photo)) as temporary:
            temporary.write_bytes(copy)

    def copy_of(self, source: Photo | Video) -> Path:
        """Returns the path of a copy, which mirrors its original's."""
        return self.folder / self._names[source.file]

    def timeline_of(self, video: Video) -> Path:
        """Returns the path of a clip's timeline."""
        return self.copy_of(video).with_suffix(TIMELINE)

    def _kept(self) -> dict[str, OnRecord]:
        before = _read_settings(self.folder / _SETTINGS)
        if before != self._settings:
            if before is not None:
                keys = sorted({*before, *self._settings})
                changed = [key for key in keys if before.get(key) != self._settings.get(key)]
                say(f"{self.records.path} was made with another {', '.join(changed)}: starting anew")
            return {}
        index = self.records.index()
        return {
            source.file: index[source.file]
            for source in self._sources
            if source.file in index and index[source.file].usable and self._is_done(source)
        }

    def _is_done(self, source: Photo | Video) -> bool:
        last = self.timeline_of(source) if isinstance(source, Video) else self.copy_of(source)
        try:
            return last.stat().st_mtime_ns >= source.path.stat().st_mtime_ns
        except OSError:
            return False


def _copy_names(sources: Sequence[Photo | Video]) -> dict[str, str]:
    """Says by `file` how copies are called: clips are MP4s, with their whole name where two would meet."""
    names = {source.file: _copy_name(source) for source in sources}
    met = {name for name, n in Counter(names.values()).items() if n > 1}
    return {file: f"{file}.mp4" if name in met else name for file, name in names.items()}


def _read_settings(path: Path) -> dict[str, object] | None:
    """Returns what an earlier run was made with: nothing known if damaged, `None` without such a run."""
    if not path.is_file():
        return None
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return settings if isinstance(settings, dict) else {}
