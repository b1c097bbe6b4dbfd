"""The record of submissions, brought up to date with what Kaggle says."""

from fercomp.core.locks import exclusive
from fercomp.core.paths import Workspace
from fercomp.kaggle.client import connect
from fercomp.kaggle.history import BUSY, history_rows, scored, write_down


def refresh(workspace: Workspace, competition: str) -> None:
    """Asks Kaggle for the scores of what the record holds.

    Args:
        workspace: Where the record is.
        competition: The last part of the competition's address.

    Raises:
        FercompError: Kaggle does not answer or refuses; the record stays as it was.
    """
    with exclusive(workspace.submissions, BUSY):
        rows = history_rows(workspace)
        if not rows:
            return
        with connect(competition) as kaggle:
            known = {str(sent.ref): sent for sent in kaggle.submissions()}
        write_down([scored(row, known[row["ref"]]) for row in rows if row["ref"] in known], workspace)
