"""How long trainings will take, said before the first begins."""

from collections.abc import Callable, Mapping
from math import ceil
from typing import TYPE_CHECKING, Final

from fercomp.core.errors import FercompError
from fercomp.core.isolated import isolated
from fercomp.core.params import Plan
from fercomp.core.progress import count, say
from fercomp.core.timing import duration, say_duration
from fercomp.faces.tta import number_of_views
from fercomp.modeling.training.targets import learnable_tests

if TYPE_CHECKING:
    import pandas as pd

FEW: Final = 50_000
"""Looks at photos, in all epochs and scores, up to which nothing is said: a small network takes a minute."""

_STEP: Final = 3
"""Looks that take as long as a step of training: forward, and backward to its input and to its weights."""

_INSTEAD: Final = (
    "a GPU (Kaggle lends one: --on kaggle), a smaller network (--backbone efficientnet_lite0 or compact), "
    "smaller photos (train.size), fewer epochs (train.epochs, train.head_epochs), one view of the holdout "
    "(inference.views=false), or, to try things, fewer photos (train.photos) or a limit (train.minutes)"
)


def timed_here(plan: Plan, train: int, holdout: int) -> tuple[float, bool]:
    """Times two batches of a training in a process of its own, `modeling.training.forecast.forecast`."""
    return isolated(time_batches, plan, train, holdout)


def say_how_long(
    plans: Mapping[str, Plan],
    photos: "pd.DataFrame",
    networks: int = 1,
    at_once: int = 1,
    timed: Callable[[Plan, int, int], tuple[float, bool]] = timed_here,
) -> None:
    """Times two batches of each training, and says how long all will take.

    Args:
        plans: How to train, by the name of the training; at least one.
        photos: Rows of table `PHOTOS` that they learn from; those of split `test` by plans that take these.
        networks: How many networks are trained by each plan.
        at_once: How many of them are trained side by side.
        timed: Says of a plan and numbers of photos what `modeling.training.forecast.forecast` says.
    """
    holdout = int((photos["split"] == "holdout").sum())
    learned = {name: _learned(plan, photos) for name, plan in plans.items()}
    if networks * sum(_looks(plan, learned[name], holdout) for name, plan in plans.items()) < FEW:
        return
    say("timing two batches of training")
    whole, told, gpu = 0.0, 0, True
    for name, plan in plans.items():
        try:
            seconds, on_gpu = timed(plan, learned[name], holdout)
        except FercompError as error:
            say(f"how long {name} takes cannot be told: {error}")
            continue
        whole, told, gpu = whole + seconds * ceil(networks / at_once), told + networks, gpu and on_gpu
        if len(plans) > 1:
            say(f"{name}: about {duration(seconds)}")
    beside = f", {at_once} at once" if at_once > 1 else ""
    what = f"training {count(told, 'network')} on {count(max(learned.values()), 'photo')}{beside}"
    say_duration(what, whole, gpu, _INSTEAD, several=at_once > 1)


def _learned(plan: Plan, photos: "pd.DataFrame") -> int:
    """Returns how many photos a network learns from."""
    train = int((photos["split"] == "train").sum())
    tests = len(learnable_tests(photos)) if plan.train.test_photos else 0
    return min(train, plan.train.photos or train) + tests


def _looks(plan: Plan, train: int, holdout: int) -> int:
    """Returns how many looks at a photo a training takes, about."""
    epochs = plan.train.epochs + plan.train.head_epochs
    views = number_of_views(plan.inference.views, plan.inference.flip)
    return epochs * (_STEP * train + holdout) + views * holdout


def time_batches(plan: Plan, train: int, holdout: int) -> tuple[float, bool]:
    """Times two batches of a training in this process, which trains nothing else then (`forecast`)."""
    from fercomp.modeling.training.forecast import forecast  # Keras, which the caller may not have

    return forecast(plan, train, holdout)
