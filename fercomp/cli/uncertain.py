"""`fercomp uncertain`."""

import typer

from fercomp.cli.options import Model, Set


def uncertain(model: Model = None, set_: Set = None) -> None:
    """Find when a model should say `uncertain`, on the holdout, and write it beside the model.

    A model without that class (train.classes: 8) gets a threshold; one that has it gets a handicap for each
    class. Either is used only where it makes answers better on photos that it was not fitted on. Writes
    decision.json, uncertain.csv and uncertain.png into the model's folder.

    \b
    Examples:
      fercomp uncertain
      fercomp uncertain --model eight
      fercomp uncertain --model eight --set uncertain.score=margin
    """
    from rich.console import Console

    from fercomp.core.params import load_params
    from fercomp.core.paths import Workspace
    from fercomp.modeling.bundle.card import DECISION
    from fercomp.modeling.bundle.find import resolve_model
    from fercomp.stages.uncertain import settle_uncertain, sweep_table

    workspace = Workspace()
    params = load_params(workspace.params, set_ or []).uncertain
    folder = resolve_model(model, workspace)
    settled = settle_uncertain(folder, params)
    Console().print(sweep_table(settled.sweeps, title=f"{folder.name}: {settled.plain.n} holdout photos"))
    if settled.fitted.bias is None:
        typer.echo(f"best threshold on the {settled.fitted.threshold_on}: {settled.fitted.threshold:.3g}")
    else:
        handicaps = zip(settled.fitted.classes, settled.fitted.bias, strict=True)
        typer.echo("best handicaps: " + ", ".join(f"{name} {bias:+.2f}" for name, bias in handicaps))
    typer.echo(
        f"accuracy {settled.plain.accuracy:.4f} without, {settled.decided.accuracy:.4f} with, "
        f"{settled.cross_fitted.accuracy:.4f} with on photos that it was not fitted on; "
        f"macro-F1 {settled.plain.macro_f1:.4f}, {settled.decided.macro_f1:.4f}, "
        f"{settled.cross_fitted.macro_f1:.4f}"
    )
    used = "used from now on" if settled.used else "not used: it does not pay"
    typer.echo(f"{folder / DECISION}: {used}")
    typer.echo(f"Look at {folder / 'uncertain.png'}; next: fercomp evaluate --model {folder.name}")
