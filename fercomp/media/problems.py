"""What is wrong with a picture or a clip: a sentence, and a reason in one word."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from os import stat_result
from pathlib import Path
from typing import Literal

from fercomp.core.errors import FercompError
from fercomp.core.files import is_disk_full

Reason = Literal[
    "missing",  # these may be said of any file
    "not_a_file",
    "permission_denied",
    "unreadable",
    "empty",
    "too_large",
    "truncated",
    "not_written",
    "failed",
    "not_an_image",  # these of a picture
    "too_small",
    "unsupported",
    "not_a_video",  # these of a clip
    "no_video_stream",
    "no_frames",
    "damaged",
]


class MediaProblem(FercompError):
    """A picture or a clip that cannot be used, or not wholly.

    Attributes:
        reason: One stable word, for tables.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ImageProblem(MediaProblem):
    """A picture that cannot be used."""


class ClipProblem(MediaProblem):
    """A clip that cannot be used, or not wholly."""


@contextmanager
def reading(path: Path, kind: type[MediaProblem], what: str) -> Iterator[stat_result]:
    """Gives the status of a file that is about to be read, and tells what the system has against it.

    Args:
        path: The file.
        kind: What is raised.
        what: What was expected, such as `a picture`.

    Raises:
        MediaProblem: `path` is missing, not a file, or not readable.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # reading a pipe or a device could wait for ever
            raise kind("not_a_file", f"{path} is not a file: {what} was expected")
        yield status
    except (FileNotFoundError, NotADirectoryError) as error:
        raise kind("missing", f"{path} not found: {what} was expected") from error
    except PermissionError as error:
        raise kind("permission_denied", f"{path} may not be read: change its permissions") from error
    except (OSError, ValueError) as error:  # a link to itself, a name that no file can have, a failing disk
        raise kind("unreadable", f"{path} cannot be read: {error}") from error


def failed(path: Path, error: Exception, kind: type[MediaProblem]) -> MediaProblem:
    """Makes whatever went wrong with one file its own problem, unless it is everybody's.

    Raises:
        FercompError: It concerns all files, such as a detector that is missing.
        OSError: The disk is full.
    """
    if isinstance(error, FercompError) or (isinstance(error, OSError) and is_disk_full(error)):
        raise error
    what = " ".join(f"{type(error).__name__}: {error}".split())
    return kind("failed", f"{path} could not be annotated ({what}): the others go on")
