"""Photos in object stores, by fsspec: which there are, and how they come here."""

import hashlib
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from fercomp.annotate.sources.found import Found, Photo, Stamp
from fercomp.annotate.sources.walk import Sources, recordable
from fercomp.core.errors import FercompError, in_brief
from fercomp.media.image_formats import IMAGE_SUFFIXES
from fercomp.media.problems import ImageProblem, Reason

_MARKS: Final = ("ETag", "etag", "mtime", "LastModified", "last_modified", "updated", "created")
"""By what stores say that a file is another one than before."""


@dataclass(frozen=True)
class RemotePhoto(Photo):
    """A photo in an object store.

    Attributes:
        url: Its address; `path` is for names only.
        stamp: See `Photo.now`.
    """

    url: str = ""
    stamp: tuple[int, int, int] = (0, 0, 0)

    def now(self) -> Stamp | None:
        """Returns size and mark of the file; zeros where it was on a list, and nobody has asked the store."""
        return list(self.stamp)


def is_url(text: str) -> bool:
    """Says whether something is an address, such as `s3://bucket/photos`."""
    scheme, mark, _ = text.partition("://")
    return bool(mark) and scheme.replace("+", "").isalnum()


def find_remote(urls: Sequence[str], listed: Sequence[str] = ()) -> Sources:
    """Finds photos in an object store; hidden ones and clips are left out.

    Args:
        urls: Folders and photos in one store, which fsspec can open.
        listed: More photos there; for a million of them, the store is not asked about each.

    Raises:
        FercompError: There are none, the store cannot be read, or they are in several stores.
    """
    stores = sorted({"/".join(url.split("/")[:3]) for url in (*urls, *listed)})
    if len(stores) > 1:
        raise FercompError(f"{', '.join(stores[:3])}: one store at a time: annotate one after the other")
    sources = Sources(Path(stores[0]))
    found = dict.fromkeys(listed, (0, 0, 0))
    for url in urls:
        found |= _looked_into(url, sources)
    if not found:
        raise FercompError(f"{', '.join(urls[:3])} holds no photos: name another folder")
    around = {url.rstrip("/") for url in urls if url not in found} | {url.rpartition("/")[0] for url in found}
    inside = os.path.commonpath([folder.partition("://")[2] for folder in around])
    sources.url = f"{stores[0].partition('://')[0]}://{inside}/"
    sources.found = Found.of(
        RemotePhoto(Path(url), recordable(url.removeprefix(sources.url)), url, stamp)
        for url, stamp in found.items()
    )
    return sources


def _looked_into(url: str, sources: Sources) -> dict[str, tuple[int, int, int]]:
    store, path = open_store(url)
    try:
        entries = store.find(path, detail=True) if store.isdir(path) else {path: store.info(path)}
    except Exception as error:  # each store has errors of its own
        raise FercompError(
            f"{url} cannot be read ({_told(error)}): check the address, and that you may read there"
        ) from error
    found = {}
    for name, entry in entries.items():
        inside = name.removeprefix(path).strip("/")
        suffix = PurePosixPath(name).suffix.lower()
        if any(part.startswith(".") for part in inside.split("/")):
            sources.left_out["hidden"] += suffix in IMAGE_SUFFIXES
        elif suffix in IMAGE_SUFFIXES or not inside:
            address = f"{url.rstrip('/')}/{inside}" if inside else url
            found[address] = (int(entry.get("size") or 0), _mark(entry), 0)
        else:
            sources.left_out[suffix or "without suffix"] += 1
    return found


def _mark(entry: Mapping[str, Any]) -> int:
    said = next((str(entry[name]) for name in _MARKS if entry.get(name)), "")
    return int(hashlib.sha256(said.encode()).hexdigest()[:12], 16)


def open_store(url: str) -> tuple[Any, str]:
    """Opens the store of an address; returns it, and the path there.

    Raises:
        FercompError: There is no such store, or the package for it is not installed.
    """
    import fsspec

    try:
        store, path = fsspec.core.url_to_fs(url)
    except Exception as error:  # each store has errors of its own
        raise FercompError(
            f"{url} cannot be opened on {platform.node()} ({_told(error)}): install what fsspec needs for "
            "it, such as s3fs or gcsfs, on each machine"
        ) from error
    return store, str(path)


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {in_brief(error, 120)}"


def bring(photo: RemotePhoto, place: Path) -> Photo:
    """Brings a photo to this machine, under the same `file`.

    Args:
        photo: The photo.
        place: Where it is put.

    Raises:
        ImageProblem: It does not come.
        FercompError: The store cannot be opened at all.
    """
    store, path = open_store(photo.url)
    try:
        place.write_bytes(store.cat_file(path))
    except Exception as error:  # each store has errors of its own
        reason: Reason = "missing" if isinstance(error, FileNotFoundError) else "unreadable"
        reason = "permission_denied" if isinstance(error, PermissionError) else reason
        raise ImageProblem(reason, f"{photo.url} does not come ({_told(error)})") from error
    return Photo(place, photo.file)
