"""Sending a CSV to Kaggle, so that no slot of the day is spent twice for the same bytes.

Every submission carries a tag, the beginning of its bytes' SHA-256, in its message. Kaggle's list is
therefore the witness of what was sent, whatever became of an answer or of the process that waited for it:

    look at Kaggle's list -> ask whether it is allowed -> upload -> note what is about to be sent -> submit
    -> write it down -> wait for the score

A run that finds a note left behind looks for the tag, and sends again only where Kaggle has not listed it
for `pending.SETTLE` seconds.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

from fercomp.core.errors import FercompError
from fercomp.core.files import write_text
from fercomp.core.git import head
from fercomp.core.locks import exclusive
from fercomp.core.paths import Workspace
from fercomp.core.polling import paced
from fercomp.core.progress import say, waiting
from fercomp.kaggle.client.answers import Sent
from fercomp.kaggle.client.competition import Kaggle, connect
from fercomp.kaggle.client.refusals import Refused, TooMany, Unanswered
from fercomp.kaggle.submissions import pending
from fercomp.kaggle.submissions.allowed import ask_limits, check_competition, require_slot
from fercomp.kaggle.submissions.candidate import Candidate, same_bytes, sent_before, tag_of, unscored
from fercomp.kaggle.submissions.history import BUSY, scored, write_down
from fercomp.kaggle.submissions.pending import Note, look, not_listed, record, settle

POLL = 2.0
LONGEST_POLL = 30.0
"""Seconds between two questions for the score: at first, and at the most."""

REFUSALS: Final = 3
"""How often Kaggle may say that it does not know a submission, which it has taken."""

_PATIENCE = 1200.0
"""Seconds after which a score is no longer waited for."""


@dataclass(frozen=True)
class Outcome:
    """What `submit` did.

    Attributes:
        ref: Kaggle's number, `None` where nothing was sent (a dry run).
        left: Submissions that were possible before, `None` where Kaggle did not say so.
        resumed: It was sent by an earlier run that did not get as far as the score.
        score: Kaggle's word on it, `None` where there is none yet.
        page: Where the kernel is that is to leave it and still runs; empty where it is not waited for.
    """

    ref: int | None
    left: int | None
    resumed: bool
    score: Sent | None
    page: str = ""


def submit(
    candidate: Candidate,
    workspace: Workspace,
    competition: str,
    *,
    force: bool = False,
    wait: bool = True,
    dry_run: bool = False,
) -> Outcome:
    """Sends a CSV, writes it down, and waits for its score.

    The same call after a kill goes on from where the killed one was, and does not send again.

    Args:
        candidate: What `choose` gave.
        workspace: Where the record is.
        competition: The last part of the competition's address.
        force: Send it though it was sent before. One that has no score yet is not sent again.
        wait: Wait for the score.
        dry_run: Do everything but send.

    Raises:
        FercompError: It was sent before, no submission is left, Kaggle refuses, rejects the CSV, or does not
            answer.
    """
    with exclusive(workspace.submissions, BUSY), connect(competition) as kaggle:
        found = look_ahead(kaggle, candidate, workspace, force=force, wait=wait, dry_run=dry_run)
        if isinstance(found, Outcome):
            return found
        known, left = found
        row = _send(kaggle, candidate, known, workspace)
        score = _finish(kaggle, row, workspace) if wait else None
        return Outcome(int(row["ref"]), left, False, score)


def look_ahead(
    kaggle: Kaggle, candidate: Candidate, workspace: Workspace, *, force: bool, wait: bool, dry_run: bool
) -> Outcome | tuple[list[int], int | None]:
    """Finds out whether something may be sent, and goes on with it where an earlier run has sent it.

    Returns:
        What became of it, also where nothing is to be sent; or, where it may be sent, the numbers of
        submissions that are the same, and how many submissions are left.

    Raises:
        FercompError: See `submit`.
    """
    resumed = settle(kaggle, workspace)
    row = unscored(candidate.sha256, workspace)
    if row is not None and (wait or row["ref"] == resumed) and not dry_run:
        score = _finish(kaggle, row, workspace) if wait else None
        return Outcome(int(row["ref"]), None, True, score)
    listed = kaggle.submissions()
    sent = same_bytes(listed, candidate.sha256, workspace)
    if row is not None or (sent and not force):
        raise sent_before(candidate, sent)
    check_competition(kaggle, has_sent=bool(listed), by_kernel=candidate.kernel is not None)
    left = ask_limits(kaggle).left
    return Outcome(None, left, False, None) if dry_run else ([s.ref for s in sent], left)


def _brought(kaggle: Kaggle, candidate: Candidate) -> Callable[[], int]:
    """Brings to Kaggle what is not there yet; returns what submits it."""
    if candidate.kernel is not None:
        return partial(kaggle.submit_kernel, candidate.kernel, candidate.message)
    token = kaggle.upload(candidate.path.name, candidate.content, candidate.path.stat().st_mtime)
    return partial(kaggle.submit, token, candidate.message)


def _send(kaggle: Kaggle, candidate: Candidate, known: Sequence[int], workspace: Workspace) -> dict[str, str]:
    """Sends the bytes; where the answer is lost, looks whether they arrived before they are sent again."""
    for _ in range(2):
        give = _brought(kaggle, candidate)
        note = Note(tag=tag_of(candidate.sha256), known=tuple(known), row=_new_row(candidate))
        write_text(workspace.sending, note.model_dump_json())
        lost: Unanswered | TooMany | None = None
        ref: int | None = None
        try:
            ref = give()
        except Refused as error:
            clearer = _clearer(error, kaggle)
            if not isinstance(clearer, TooMany):
                workspace.sending.unlink()
                raise clearer from error
            lost = clearer
            say(f"{error}: waiting, then sending it again")
        except Unanswered as error:
            lost = error
            say(f"the answer to the submission was lost ({error}): looking whether Kaggle has got it")
        if ref == 0:
            note = note.model_copy(update={"taken": True})
            write_text(workspace.sending, note.model_dump_json())
        ref = ref or look(kaggle, note)
        if ref:
            return record(note.row, ref, workspace)
        if lost is None:
            raise not_listed(kaggle, workspace)
        workspace.sending.unlink()
        say(f"Kaggle does not list it after {pending.SETTLE:g} s, so it did not arrive: sending it again")
    if isinstance(lost, TooMany):
        raise lost
    raise FercompError(
        f"the answer was lost twice, and Kaggle does not list the file ({lost}): try again later"
    )


def _clearer(error: Refused, kaggle: Kaggle) -> FercompError:
    """Says that no submission is left, where that is why Kaggle refused, in whatever words."""
    try:
        limits = kaggle.limits()
    except FercompError:  # then Kaggle's own words are all there is
        return error
    try:
        require_slot(limits)
    except Refused as reason:
        return reason
    return error


def _new_row(candidate: Candidate) -> dict[str, str]:
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "file": str(candidate.path),
        "sha256": candidate.sha256,
        "message": candidate.message,
        "git_commit": head() or "",
        **asdict(candidate.origin),
        "public": "",
        "private": "",
        "ref": "",
        "status": "pending",
    }


def _finish(kaggle: Kaggle, row: dict[str, str], workspace: Workspace) -> Sent | None:
    """Waits for the score and writes it down."""
    try:
        sent = _wait(kaggle, int(row["ref"]))
    except (Refused, Unanswered) as error:
        words = error.words if isinstance(error, Refused) and error.words else error
        say(f"{words}; the file is with Kaggle as {row['ref']}, `fercomp submissions` asks for the score")
        return None
    if sent is None:
        return None
    write_down([scored(row, sent)], workspace)
    if sent.status == "error":
        raise FercompError(f"Kaggle rejected {row['file']}: {sent.problem or 'it gives no reason'}")
    return sent if sent.status == "complete" else None


def _wait(kaggle: Kaggle, ref: int) -> Sent | None:
    sent, refused = None, 0
    with waiting("waiting for Kaggle's score"):
        for _ in paced(POLL, LONGEST_POLL, _PATIENCE):
            try:
                sent = kaggle.submission(ref)
                if sent.status != "pending":
                    break
            except Refused:  # one that passes: what was just sent may not be known everywhere
                refused += 1
                if refused > REFUSALS:
                    raise
    return sent
