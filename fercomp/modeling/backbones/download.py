"""ImageNet weights that Keras downloads: looked for before minutes are spent on what needs them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

from fercomp.modeling.backend.engine import keras

_PATIENCE: Final = 10.0
"""Seconds within which the server has to answer."""


class _AskedFor(Exception):
    def __init__(self, file: str, url: str) -> None:
        super().__init__(file)
        self.file, self.url = file, url


def look_for_weights(build: Callable[[], Any], folder: Path) -> None:
    """Looks whether weights are there, or can be downloaded.

    Args:
        build: Builds a network of `keras.applications` with its weights. It is stopped where it asks for
            them, and until then makes no variables.
        folder: Where Keras keeps them.

    Raises:
        OSError: They are neither there nor does the server have them; the message is one of Keras' own.
    """
    try:
        with keras.StatelessScope(), _stopped_at_download():
            build()
    except _AskedFor as asked:
        if (folder / asked.file).is_file():
            return
        try:
            urlopen(Request(asked.url, method="HEAD"), timeout=_PATIENCE).close()  # noqa: S310 - https
        except OSError as error:
            raise OSError(f"URL fetch failure on {asked.url}: None -- {error}") from error


@contextmanager
def _stopped_at_download() -> Iterator[None]:
    """Lets Keras raise what it would download, with its name in the folder of weights."""
    from keras.src.utils import file_utils

    def asked(fname: str, origin: str, **_: object) -> None:
        raise _AskedFor(fname, origin)

    before, file_utils.get_file = file_utils.get_file, asked
    try:
        yield
    finally:
        file_utils.get_file = before
