"""How long trainings will take, said before the first begins."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from fercomp.core.errors import FercompError
from fercomp.core.isolated import isolated
from fercomp.core.params import Plan
from fercomp.core.progress import count, say
from fercomp.core.timing import duration, say_duration

if TYPE_CHECKING:
    import pandas as pd

FEW: Final = 1000
"""Photos of which nothing is said: what is tried on so few is over before it is timed."""

_INSTEAD: Final = (
    "a GPU, a smaller network (--backbone efficientnet_lite0 or compact), smaller photos (train.size), fewer "
    "epochs (train.epochs, train.head_epochs), one view of the holdout (inference.views=false), or, to try "
    "things, fewer photos (train.photos) or a limit (train.minutes)"
)


def say_how_long(plans: Mapping[str, Plan], photos: "pd.DataFrame", networks: int = 1) -> None:
    """Times two batches of each training in a process of its own, and says how long all will take.

    Args:
        plans: How to train, by the name of the training; at least one.
        photos: Rows of table `PHOTOS` that they learn from.
        networks: How many networks are trained by each plan.
    """
    train, holdout = (int((photos["split"] == split).sum()) for split in ("train", "holdout"))
    train = min(train, max(plan.train.photos or train for plan in plans.values()))
    if train < FEW:
        return
    say("timing two batches of training")
    whole, told, gpu = 0.0, 0, True
    for name, plan in plans.items():
        try:
            seconds, on_gpu = isolated(_forecast, plan, train, holdout)
        except FercompError as error:
            say(f"how long {name} takes cannot be told: {error}")
            continue
        whole, told, gpu = whole + seconds * networks, told + networks, gpu and on_gpu
        if len(plans) > 1:
            say(f"{name}: about {duration(seconds)}")
    say_duration(f"training {count(told, 'network')} on {count(train, 'photo')}", whole, gpu, _INSTEAD)


def _forecast(plan: Plan, train: int, holdout: int) -> tuple[float, bool]:
    from fercomp.modeling.training.forecast import forecast  # Keras, which the caller may not have

    return forecast(plan, train, holdout)
