"""What is known here of the runs at Kaggle: `models/.kaggle/<name>.json`, written before anything is sent.

A killed client finds its kernel by it. It holds no credentials.
"""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, Literal

from pydantic import Field

from fercomp.core.errors import FercompError
from fercomp.core.files import write_text
from fercomp.core.params import Group
from fercomp.core.paths import Workspace
from fercomp.core.reading import is_there, read_at_most

_LARGEST: Final = 2**20
_SLUG: Final = "^[a-z0-9][a-z0-9-]{4,49}$"

PartState = Literal["pushing", "running", "cut", "done", "failed"]


class Part(Group):
    """A kernel of a run.

    Attributes:
        slug: The last part of its address.
        state: `pushing` until Kaggle has said, or been found, to have it.
        files: A SHA-256 over what it has left, where it was cut: the next one has to get further.
    """

    slug: str = Field(pattern=_SLUG)
    state: PartState
    files: str = ""


class RemoteRun(Group):
    """A command that runs at Kaggle.

    Attributes:
        name: What it is called here, such as `train-compact`.
        run: A SHA-256 of what it depends on; another one each time that it is run anew.
        fingerprint: The same, whether or not it is run anew.
        words: The command, after `fercomp`.
        competition: Whose files it reads.
        owner: The account.
        gpu: Whether it has a GPU.
        leaves: Patterns of what is brought here in the end.
        dataset: The private dataset that it reads, empty where there is none.
        parts: Its kernels, in order.
        pulled: Whether its results are here.
    """

    name: str
    run: str = Field(pattern="^[0-9a-f]{64}$")
    fingerprint: str = Field(pattern="^[0-9a-f]{64}$")
    words: tuple[str, ...]
    competition: str
    owner: str = Field(pattern="^[A-Za-z0-9_-]{1,100}$")
    gpu: bool
    leaves: tuple[str, ...]
    dataset: str = ""
    parts: tuple[Part, ...] = ()
    pulled: bool = False

    @property
    def is_over(self) -> bool:
        """Whether no kernel of it is at work, or could go on."""
        return self.pulled or not self.parts or self.parts[-1].state == "failed"

    @property
    def typed(self) -> str:
        """What to type to go on with it; `submit --kernel` runs nowhere else than at Kaggle."""
        return " ".join(("fercomp", *self.words, *(() if "--kernel" in self.words else ("--on", "kaggle"))))

    @property
    def going_on_from(self) -> str:
        """The kernel whose output the next one goes on from, empty where there is none."""
        return next((part.slug for part in reversed(self.parts) if part.state == "cut"), "")

    def expects(self, path: str) -> bool:
        """Tells whether a path is one of those that the command leaves."""
        parts = path.split("/")
        patterns = [pattern.split("/") for pattern in self.leaves]
        return any(len(parts) >= len(names) and all(map(fnmatchcase, parts, names)) for names in patterns)

    def now(self, state: PartState, files: str = "") -> "RemoteRun":
        """Returns the same with its last kernel in another state."""
        *before, last = self.parts
        return self.model_copy(
            update={"parts": (*before, Part(slug=last.slug, state=state, files=files or last.files))}
        )


def runs_folder(workspace: Workspace) -> Path:
    """Returns where runs are written down."""
    return workspace.models / ".kaggle"


def brought_folder(workspace: Workspace) -> Path:
    """Returns where files are kept that are being brought here, each called by its SHA-256."""
    return runs_folder(workspace) / "files"


def run_file(name: str, workspace: Workspace) -> Path:
    """Returns the file of a run."""
    return runs_folder(workspace) / f"{name}.json"


def run_lock(name: str, workspace: Workspace) -> Path:
    """Returns the lock of whoever follows a run, or changes what is known of it."""
    return runs_folder(workspace) / f".{name}.lock"


def read_run(name: str, workspace: Workspace) -> RemoteRun | None:
    """Reads what is known of a run, `None` where nothing is.

    Raises:
        FercompError: The file is damaged.
    """
    path = run_file(name, workspace)
    if not is_there(path):
        return None
    try:
        run = RemoteRun.model_validate_json(read_at_most(path, _LARGEST))
        if run.name != name or not run.parts:
            raise ValueError("it is not that of this name, or has no kernel")
    except ValueError as error:  # pydantic's, too
        raise FercompError(
            f"{path} is damaged: look at https://www.kaggle.com/code whether its kernel still runs, then "
            "remove it"
        ) from error
    return run


def write_run(run: RemoteRun, workspace: Workspace) -> None:
    """Writes down what is known of a run, atomically."""
    write_text(run_file(run.name, workspace), run.model_dump_json(indent=2) + "\n")


def forget_run(name: str, workspace: Workspace) -> None:
    """Removes what is known of a run."""
    run_file(name, workspace).unlink(missing_ok=True)


def run_names(workspace: Workspace) -> list[str]:
    """Lists the runs of which something is known."""
    return sorted(path.stem for path in runs_folder(workspace).glob("[!.]*.json"))
