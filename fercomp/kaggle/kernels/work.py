"""What the kernels of a run do, and what each is told of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fercomp.core.params import Group


class Step(Group):
    """A command that runs in a kernel.

    Attributes:
        words: The command, after `fercomp`; that of DVC begins with `dvc`.
        makes: A file that it makes; where that is there, it is left out.
    """

    words: tuple[str, ...]
    makes: str = ""


@dataclass(frozen=True)
class Work:
    """What the kernels of a run do.

    Attributes:
        steps: Commands, in order.
        done: Patterns of what is brought here in the end.
        cut: Patterns of what the next kernel goes on from.
        files: What travels besides the code, by its path there, and what comes out depends on.
        further: The same for what changes nothing in what comes out: checkpoints, packages.
        internet: Whether packages may be installed; without, see `vendored`.
        submits: A file that is to be submitted from there, empty where there is none.
    """

    steps: tuple[Step, ...]
    done: tuple[str, ...]
    cut: tuple[str, ...]
    files: Mapping[str, Path | bytes]
    further: Mapping[str, Path | bytes] = field(default_factory=dict)
    internet: bool = True
    submits: str = ""


class KernelJob(Group):
    """What a kernel is told: the JSON that `script.py` reads, which has only Python's own library there.

    Attributes:
        run: See `RemoteRun.run`; the manifest says it, too.
        slug: The kernel's.
        after: The kernel whose output it goes on from, empty where there is none.
        competition: Whose files it reads.
        gpu: Whether it needs a GPU.
        seconds: How long its session is.
        margin: Seconds before its end in which it saves what there is, and ends.
        internet: Whether packages may be installed.
        requires: Packages that are needed, as pip writes them.
        payload: The file with what travels, in a dataset; empty where it is in the kernel's text.
        commit: That of the code, empty where it is not known.
        steps: See `Work`, as those below.
        done: Patterns.
        cut: Patterns.
        submits: A file.
        submits_as: What that is called in the kernel's output.
    """

    run: str
    slug: str
    after: str
    competition: str
    gpu: bool
    seconds: int
    margin: float
    internet: bool
    requires: tuple[str, ...]
    payload: str
    commit: str
    steps: tuple[Step, ...]
    done: tuple[str, ...]
    cut: tuple[str, ...]
    submits: str
    submits_as: str
