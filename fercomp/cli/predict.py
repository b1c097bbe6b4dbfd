"""`fercomp predict`."""

import typer

from fercomp.cli.options import Model


def predict(model: Model = None) -> None:
    """Classify the test photos and write their probabilities to models/NAME/test.csv.

    \b
    Examples:
      fercomp predict
      fercomp predict --model compact
      fercomp predict --model shipped
    """
    from fercomp.core.paths import Workspace
    from fercomp.modeling.card import resolve_model
    from fercomp.modeling.predict import predict_test

    workspace = Workspace()
    path, n = predict_test(resolve_model(model, workspace), workspace)
    typer.echo(f"{path}: probabilities of {n} test photos")
    typer.echo(f"Next: fercomp submission --model {path.parent.name}")
