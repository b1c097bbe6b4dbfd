"""`fercomp uncertain`."""

import shlex

from fercomp.cli.options import OwnModel, Set, open_workspace
from fercomp.cli.words import say_next, tell


def uncertain(model: OwnModel = None, set_: Set = None) -> None:
    """Find when a model should say `uncertain`, on the holdout, and write it beside the model.

    A model without that class (train.classes: 8) gets a threshold; one that has it gets a class bias, a
    number added to each class's log-probability. Either is used only where it makes answers better on photos
    that it was not fitted on. Writes decision.json, uncertain.csv and uncertain.png into the model's folder.

    \b
    Examples:
      fercomp uncertain
      fercomp uncertain --model eight
      fercomp uncertain --model eight --set uncertain.score=margin
    """
    from fercomp.core.terminal import show
    from fercomp.modeling.bundle.card import DECISION
    from fercomp.modeling.bundle.find import resolve_scored
    from fercomp.stages.uncertain import settle_uncertain, sweep_table

    workspace, params = open_workspace(set_)
    folder = resolve_scored(model, workspace)
    settled = settle_uncertain(folder, params.uncertain)
    thresholds = settled.fitted.bias is None  # the other models answer `uncertain` themselves
    if thresholds:
        show(sweep_table(settled.sweeps, title=f"{folder.name}: {settled.plain.n:,} holdout photos"))
    tell(settled.sentence)
    look = f"Look at {folder / 'uncertain.png'}; how" if thresholds else "How"
    tell(f"{look} it decides from now on: {folder / DECISION}")
    say_next(f"fercomp evaluate --model {shlex.quote(model or folder.name)}")
