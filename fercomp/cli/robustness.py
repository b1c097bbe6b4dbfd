"""`fercomp robustness`."""

from typing import Annotated

import typer

from fercomp.cli.options import model_option, open_workspace
from fercomp.cli.words import tell


def robustness(
    model: Annotated[
        list[str] | None,
        model_option(
            "trained last; shipped-large where none was",
            "An experiment under models/, a model folder, or `shipped`. May be repeated: then models "
            "stand side by side.",
        ),
    ] = None,
    photos: Annotated[
        int,
        typer.Option("--photos", min=1, metavar="N", help="Holdout photos to look at, each class its share."),
    ] = 500,
) -> None:
    """Measure what blur, JPEG, darkness, turned heads, small faces, noise and covers cost a model.

    Changes holdout photos at the network's size, each change in three strengths, and scores the answers. Each
    photo is answered by one look, without mirror image and views, so accuracy is mostly lower than on the
    card. Writes robustness.csv and robustness.png into the model's folder and a section into its model card;
    of several models, models/robustness.png besides. The same photos are changed alike for every model.

    \b
    Examples:
      fercomp robustness
      fercomp robustness --model compact --photos 2000
      fercomp robustness --model shipped --model compact
    """
    import time

    from fercomp.core.terminal import show
    from fercomp.core.timing import duration
    from fercomp.modeling.bundle.find import resolve_model
    from fercomp.modeling.bundle.robustness import ONE_LOOK, ROBUSTNESS_CSV, sentence_of_losses
    from fercomp.report.robustness_plot import plot_robustness
    from fercomp.stages.robustness import ROBUSTNESS_PNG, measure_robustness, robustness_table

    begin = time.perf_counter()
    workspace, params = open_workspace()
    wanted: list[str | None] = [*model] if model else [None]
    folders = {resolve_model(name, workspace): name for name in wanted}
    done = {
        name or folder.name: measure_robustness(folder, workspace, photos, params.machine)
        for folder, name in folders.items()
    }
    tables = {name: measured.table for name, measured in done.items()}
    show(robustness_table(tables))
    for name, measured in done.items():
        tell(f"{name}: {sentence_of_losses(measured.table, most=3)}")
        if measured.told:
            tell(measured.told)
    tell(f"{ONE_LOOK}; in {duration(time.perf_counter() - begin)}")
    if len(done) > 1:
        plot_robustness(tables, workspace.models / ROBUSTNESS_PNG)
        tell(f"Look at {workspace.models / ROBUSTNESS_PNG}")
    for measured in done.values():
        tell(f"{measured.folder / ROBUSTNESS_CSV} and {measured.folder / ROBUSTNESS_PNG}")
