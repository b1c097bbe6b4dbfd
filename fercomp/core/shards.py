"""Parts of a job that several machines share: what falls into which part, and what its files are called."""

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, Self

from fercomp.core.errors import FercompError

MOST_SHARDS: Final = 10_000
"""Parts of a job; each has files of its own."""

_SHARD: Final = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


@dataclass(frozen=True, order=True)
class Shard:
    """One part of a job.

        Shard.parse("3/16").holds("a/face.jpg")     # in one of sixteen, whatever other files there are

    Attributes:
        number: Which part, from 1.
        of: How many there are.
    """

    WORD: ClassVar[str] = "shard"

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads what a user typed.

        Raises:
            FercompError: It is no such text, or there is no such part.
        """
        found = _SHARD.fullmatch(text)
        shard = cls(int(found[1]), int(found[2])) if found else cls(0, 0)
        if not 1 <= shard.number <= shard.of <= MOST_SHARDS:
            raise FercompError(
                f"shard {text!r}: expected K/N with K from 1 to N, and N up to {MOST_SHARDS:,}, such as 3/16"
            )
        return shard

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @property
    def tag(self) -> str:
        """What stands in the names of its files."""
        return f"{self.WORD}-{self.number}-of-{self.of}"

    @classmethod
    def holding(cls, name: str, of: int) -> Self:
        """Returns the part that something is in, which depends on its name alone, on no other file."""
        digest = hashlib.sha256(name.encode("utf-8")).digest()
        return cls(int.from_bytes(digest[:8], "big") % of + 1, of)

    def holds(self, name: str) -> bool:
        """Says whether something is in this part."""
        return self.holding(name, self.of) == self

    def beside(self, path: Path) -> Path:
        """Returns where this part has what the whole has at `path`: `x.csv` gives `x.shard-3-of-16.csv`."""
        return path.with_name(f"{path.stem}.{self.tag}{path.suffix}")


class OwnPart(Shard):
    """A part that a command makes of its own accord; `x.part-3-of-16.csv` is never taken for a shard."""

    WORD: ClassVar[str] = "part"


def shards_beside(path: Path, kind: type[Shard] = Shard) -> list[Shard]:
    """Returns the parts whose files are beside `path`, which is that of the whole job, in order."""
    pattern = re.compile(
        rf"{re.escape(path.stem)}\.{kind.WORD}-([0-9]{{1,5}})-of-([0-9]{{1,5}}){re.escape(path.suffix)}"
    )
    found = (pattern.fullmatch(entry.name) for entry in path.parent.glob(f"{path.stem}.{kind.WORD}-*"))
    shards = {kind(int(one[1]), int(one[2])) for one in found if one}
    return sorted(shard for shard in shards if 1 <= shard.number <= shard.of and shard.beside(path).is_file())


def require_all_shards(path: Path, kind: type[Shard] = Shard) -> list[Shard]:
    """Returns all parts of a job, in order.

    Args:
        path: The file of the whole job; those of the parts are beside it.
        kind: Shards, or parts that a command makes of its own accord.

    Raises:
        FercompError: A part is missing, or there are parts of several divisions.
    """
    shards = shards_beside(path, kind)
    divisions = sorted({shard.of for shard in shards})
    if not divisions:
        raise FercompError(f"{path.parent} has no shard to merge: run with --shard 1/N to N/N, then --merge")
    if len(divisions) > 1:
        raise FercompError(
            f"{path.parent} has shards of {told_few(divisions)}: remove the files of all divisions but one "
            f"(such as *.shard-*-of-{divisions[0]}.*), then merge again"
        )
    (of,) = divisions
    missing = [number for number in range(1, of + 1) if kind(number, of) not in shards]
    if missing:
        raise FercompError(
            f"{path.parent} lacks {told_shards([Shard(number, of) for number in missing])}: "
            "run what is missing; if it has run, that machine has another disk there"
        )
    return shards


def told_shards(shards: Sequence[Shard]) -> str:
    """Returns parts of one division as they are said, the first few of many: `the shards 2 and 5 of 16`."""
    return f"the shard{'s' * (len(shards) > 1)} {told_few([s.number for s in shards])} of {shards[0].of}"


def told_few(things: Collection[object], most: int = 8) -> str:
    """Returns the first few of things as they are said."""
    texts = [str(thing) for thing in things]
    if len(texts) > most:
        texts = [*texts[:most], f"{len(texts) - most:,} more"]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)
