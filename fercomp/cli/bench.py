"""`fercomp bench`."""

from dataclasses import asdict
from typing import Annotated

import typer

from fercomp.cli.completion import complete_backbone, complete_model
from fercomp.cli.options import AsJson, Set, open_workspace
from fercomp.cli.words import say_next, tell, tell_json, to_kaggle


def bench(
    backbones: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="BACKBONE",
            help="Backbones to train and compare. With --model and none, none is trained.",
            show_default="compact, efficientnet_lite0, facenet, mobilenet_v3_small, efficientnet_v2_b0",
            autocompletion=complete_backbone,
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME|DIR",
            help="A trained model to measure as well. May be repeated.",
            autocompletion=complete_model,
        ),
    ] = None,
    as_json: AsJson = False,
    set_: Set = None,
) -> None:
    """Compare backbones: accuracy on the holdout, size, and speed in the shipped runtime.

    Each is trained as `fercomp train --backbone` does, into models/bench-BACKBONE, unless that was done
    before with these parameters on these photos. Writes models/bench.csv and models/bench.png after each.
    What cannot run is said first. Exit code 1 where a backbone was left out or failed.

    \b
    Examples:
      fercomp bench
      fercomp bench compact mobilenet_v3_small convnext_tiny --set train.size=96
      fercomp bench --model compact --model shipped
      fercomp bench --model shipped --json
    """
    from fercomp.core.terminal import console, show
    from fercomp.stages.bench import BENCH_BACKBONES, bench_table
    from fercomp.stages.bench import bench as run_bench

    workspace, params = open_workspace(set_)
    names = backbones or ([] if model else BENCH_BACKBONES)
    rows = run_bench(names, model or [], params, workspace)
    failed = [row for row in rows if row.problem]
    if as_json:
        tell_json([asdict(row) for row in rows])
        raise typer.Exit(bool(failed))
    if len(failed) < len(rows):
        show(bench_table(rows, console()))
        tell(f"Look at {workspace.models / 'bench.png'}; the table is {workspace.models / 'bench.csv'}")
    tell(*(f"{row.model} failed: {row.problem}" for row in failed))
    if len(failed) < len(rows):
        say_next(*to_kaggle(rows[0].model, workspace.submission(rows[0].model)))
    if failed:
        raise typer.Exit(1)
