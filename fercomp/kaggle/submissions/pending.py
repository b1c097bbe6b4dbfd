"""The note of what is being sent to Kaggle, and what became of it where nobody heard the answer."""

from pydantic import ConfigDict, ValidationError

from fercomp.core.errors import FercompError
from fercomp.core.params import Group
from fercomp.core.paths import Workspace
from fercomp.core.polling import paced
from fercomp.core.progress import say
from fercomp.core.reading import is_there, read_at_most
from fercomp.kaggle.client.competition import Kaggle
from fercomp.kaggle.client.refusals import PAGE
from fercomp.kaggle.submissions.history import write_down

SETTLE = 30.0
"""Seconds of looking after which a submission that Kaggle does not list has not arrived."""

LOOK_EVERY = 3.0
"""Seconds between two looks at Kaggle's list."""


class Note(Group):
    """What is being sent, on disk from before the request until its answer is written down.

    It has no time: a clock that jumps would make a note of just now one of long ago.

    Attributes:
        tag: See `tag_of`.
        known: Kaggle's numbers of submissions that had the tag before.
        row: The row of the record, as far as it is known.
        taken: Kaggle said that it has got it, but not under which number.
    """

    model_config = ConfigDict(extra="ignore")  # those of earlier versions have a time

    tag: str
    known: tuple[int, ...]
    row: dict[str, str]
    taken: bool = False


def settle(kaggle: Kaggle, workspace: Workspace) -> str | None:
    """Finds out what became of a submission whose answer was never written down.

    Returns:
        Kaggle's number, where it had arrived; it is in the record now.

    Raises:
        FercompError: The note is damaged, or Kaggle took the file and does not list it.
    """
    if not is_there(workspace.sending):
        return None
    try:
        note = Note.model_validate_json(read_at_most(workspace.sending, 2**20))
    except ValidationError as error:
        raise FercompError(
            f"{workspace.sending} is damaged: look at {PAGE}/{kaggle.competition}/submissions whether the "
            "last file arrived, then remove it"
        ) from error
    say("an earlier run ended while it was sending: looking whether Kaggle has got the file")
    ref = look(kaggle, note)
    if ref is None and note.taken:
        raise not_listed(kaggle, workspace)
    if ref is None:
        workspace.sending.unlink()
        return None
    return record(note.row, ref, workspace)["ref"]


def look(kaggle: Kaggle, note: Note) -> int | None:
    """Looks for a submission in Kaggle's list until it is there, or would have to be."""
    for _ in paced(LOOK_EVERY, patience=SETTLE):
        new = [s.ref for s in kaggle.submissions() if note.tag in s.message and s.ref not in note.known]
        if new:
            return new[0]
    return None


def not_listed(kaggle: Kaggle, workspace: Workspace) -> FercompError:
    """Says that Kaggle took a file but does not show it, which only a person can judge."""
    return FercompError(
        f"Kaggle took the file but does not list it: look at {PAGE}/{kaggle.competition}/submissions, and "
        f"remove {workspace.sending} if it is not there"
    )


def record(row: dict[str, str], ref: int, workspace: Workspace) -> dict[str, str]:
    """Writes down what Kaggle has got, after which the note is not needed any more."""
    row = {**row, "ref": str(ref)}
    write_down([row], workspace)
    workspace.sending.unlink(missing_ok=True)
    return row
