"""`fercomp submission`."""

import shlex

from fercomp.cli.options import Model
from fercomp.cli.words import say_next, tell


def submission(model: Model = None) -> None:
    """Turn a model's test probabilities into a Kaggle CSV, checked against the sample.

    \b
    Examples:
      fercomp submission
      fercomp submission --model compact
      fercomp submission --model shipped
    """
    from fercomp.core.paths import Workspace
    from fercomp.core.progress import count
    from fercomp.kaggle.submissions.csv_file import write_submission
    from fercomp.modeling.bundle.find import resolve_model

    workspace = Workspace()
    written = write_submission(resolve_model(model, workspace), workspace)
    tell(f"{written.path}: {written.rows:,} rows, most often {written.top}")
    if written.filled:
        tell(f"{count(written.filled, 'photo')} unread: the sample's own answer (datasets/problems.csv)")
    say_next(f"fercomp submit {shlex.quote(str(written.path))}")
