"""What a report could not read: a line each, and the report goes on."""

from collections.abc import Iterator
from contextlib import contextmanager

from fercomp.core.errors import FercompError


class Notes:
    """What was wrong, in the order in which it was met, each once.

    Attributes:
        lines: A sentence each.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, line: str) -> None:
        """Notes a line, if it is a new one."""
        if line not in self.lines:
            self.lines.append(line)

    @contextmanager
    def instead(self) -> Iterator[None]:
        """Notes what a file of the user's does to the block, which ends there."""
        try:
            yield
        except FercompError as error:
            self.add(str(error))
        except OSError as error:
            self.add(f"{error.filename}: {error.strerror}; look at its permissions")
