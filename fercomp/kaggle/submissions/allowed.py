"""Whether a submission may be made: asked before anything is uploaded.

What Kaggle does not answer, such as an older server that does not know the question, stops nothing.
"""

from datetime import UTC, datetime

from fercomp.core.errors import FercompError
from fercomp.core.progress import say
from fercomp.kaggle.client.answers import About, Limits
from fercomp.kaggle.client.competition import Kaggle
from fercomp.kaggle.client.refusals import PAGE, Refused, quota_used


def check_competition(kaggle: Kaggle, has_sent: bool, by_kernel: bool = False) -> None:
    """Checks that a competition takes a CSV from this account, or what a kernel of it has left.

    Args:
        kaggle: The competition.
        has_sent: The team has submitted before, so the rules are accepted, whatever Kaggle says.
        by_kernel: What a kernel has left is to be submitted.

    Raises:
        Refused: It takes the other one of the two, takes nothing, or its rules are not accepted.
    """
    about = ask_about(kaggle)
    if about is None:
        return
    page = f"{PAGE}/{kaggle.competition}"
    if about.notebooks_only and not by_kernel:
        raise Refused(
            f"{kaggle.competition} is a code competition, which takes notebooks and no CSV: run `fercomp "
            "submit --kernel`, which predicts there"
        )
    if by_kernel and not about.notebooks_only:
        raise Refused(
            f"{kaggle.competition} is no code competition, it takes a CSV: run `fercomp submission`, then "
            "`fercomp submit` without --kernel"
        )
    if about.closed:
        raise Refused(f"{kaggle.competition} takes no submissions: {page} says why, and whether it will")
    if not (about.entered or has_sent):
        raise Refused(
            f"this account has not joined {kaggle.competition}: accept its rules at {page}/rules, then try "
            "again"
        )
    if about.deadline and about.deadline < datetime.now(UTC):
        when = f"{about.deadline:%Y-%m-%d %H:%M} UTC"
        say(f"the deadline was {when}: this one is late, it gets a score and no place")


def ask_about(kaggle: Kaggle) -> About | None:
    """Asks what a competition is like; says so where Kaggle does not answer, and goes on."""
    try:
        return kaggle.about()
    except FercompError as error:
        say(f"Kaggle does not say what the competition is like ({_words(error)}): going on without")
        return None


def ask_limits(kaggle: Kaggle) -> Limits:
    """Asks how many submissions are left.

    Raises:
        Refused: None is.
    """
    try:
        limits = kaggle.limits()
    except FercompError as error:
        say(f"Kaggle does not say how many submissions are left ({_words(error)}): going on without")
        return Limits(None, 0, False)
    require_slot(limits)
    return limits


def require_slot(limits: Limits) -> None:
    """Checks that a submission is left.

    Raises:
        Refused: None is.
    """
    if limits.left == 0:
        if limits.for_good:
            raise Refused("no submission is left in this competition: its limit for all days is reached")
        raise Refused(quota_used(f"{limits.today} sent"))


def _words(error: FercompError) -> str:
    return error.words if isinstance(error, Refused) and error.words else str(error)
