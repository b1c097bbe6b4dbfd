"""The record of submissions, brought up to date with what Kaggle says."""

from fercomp.core.locks import exclusive
from fercomp.core.paths import Workspace
from fercomp.kaggle.client.answers import Sent
from fercomp.kaggle.client.competition import connect
from fercomp.kaggle.submissions.history import BUSY, history_rows, scored, write_down


def refresh(workspace: Workspace, competition: str) -> list[Sent]:
    """Asks Kaggle for the team's submissions, and writes down the scores of those in the record.

    Args:
        workspace: Where the record is.
        competition: The last part of the competition's address.

    Returns:
        All that Kaggle lists, those of team mates and of the web, too.

    Raises:
        FercompError: Kaggle does not answer or refuses; the record stays as it was.
    """
    with exclusive(workspace.submissions, BUSY):
        rows = history_rows(workspace)
        with connect(competition) as kaggle:
            listed = kaggle.submissions()
        known = {str(sent.ref): sent for sent in listed}
        changed = [scored(row, known[row["ref"]]) for row in rows if row["ref"] in known]
        if changed:
            write_down(changed, workspace)
    return listed


def selected(competition: str) -> list[Sent]:
    """Asks Kaggle which submissions are selected to count in the end.

    Args:
        competition: The last part of the competition's address.

    Raises:
        FercompError: Kaggle does not answer or refuses.
    """
    with connect(competition) as kaggle:
        return kaggle.submissions(selected=True)
