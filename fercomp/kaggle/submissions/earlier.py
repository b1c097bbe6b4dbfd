"""What was sent to Kaggle before: by its list, and by the record."""

from collections.abc import Sequence

from fercomp.core.errors import FercompError
from fercomp.core.paths import Workspace
from fercomp.kaggle.client.answers import Sent
from fercomp.kaggle.submissions.candidate import Candidate, tag_of
from fercomp.kaggle.submissions.history import history_rows


def same_bytes(listed: Sequence[Sent], sha256: str, workspace: Workspace) -> list[Sent]:
    """Finds the submissions of these bytes: by their tag, or by the record, since a message can be edited."""
    recorded = {row["ref"] for row in history_rows(workspace) if row["sha256"] == sha256}
    return [sent for sent in listed if tag_of(sha256) in sent.message or str(sent.ref) in recorded]


def unscored(sha256: str, workspace: Workspace) -> dict[str, str] | None:
    """Returns the record's last row of these bytes, where it waits for its score under Kaggle's number."""
    rows = [row for row in history_rows(workspace) if row["sha256"] == sha256]
    return rows[-1] if rows and rows[-1]["status"] == "pending" and rows[-1]["ref"] else None


def sent_before(candidate: Candidate, sent: Sequence[Sent]) -> FercompError:
    """Says that something was sent before, and what became of it."""
    what = "and has no score yet"
    if sent:
        newest = max(sent, key=lambda s: s.ref)
        what = f"at {newest.time}, public score {newest.public or 'not there'}, {newest.status}"
    return FercompError(
        f"{candidate.path} was sent before ({what}), and the same bytes score the same: --force sends them "
        "again once there is a score; `fercomp submissions` shows it"
    )
