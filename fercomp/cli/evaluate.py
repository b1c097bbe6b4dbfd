"""`fercomp evaluate`."""

import json
from dataclasses import asdict

from fercomp.cli.options import AsJson, OwnModel
from fercomp.cli.words import say_next, tell, tell_json, to_kaggle


def evaluate(model: OwnModel = None, as_json: AsJson = False) -> None:
    """Score a model on the holdout: accuracy, macro-F1, calibration, confusion; and what to expect at Kaggle.

    Writes metrics.json, per_class.csv, confusion.csv and pictures into the model's folder.

    \b
    Examples:
      fercomp evaluate
      fercomp evaluate --model compact
      fercomp evaluate --json
    """
    from fercomp.core.paths import Workspace
    from fercomp.core.terminal import show
    from fercomp.modeling.bundle.card import read_card
    from fercomp.modeling.bundle.find import resolve_scored
    from fercomp.stages.evaluate import evaluate_model, per_class_table
    from fercomp.stages.expected import ceiling_lines, expected_score

    workspace = Workspace()
    folder = resolve_scored(model, workspace)
    scores, classes = evaluate_model(folder, workspace.raw)
    if as_json:
        known = {
            "model": folder.name,
            **json.loads((folder / "metrics.json").read_text(encoding="utf-8")),
            "expected": asdict(expected_score(folder, workspace)),
            "labels_allow": ceiling_lines(workspace),
        }
        tell_json({**known, "classes": classes.to_dict("records")})
        return
    show(per_class_table(classes, title=f"{folder.name}: {scores.n:,} holdout photos"))
    tell(
        f"accuracy {scores.accuracy:.4f}, macro-F1 {scores.macro_f1:.4f}, "
        f"calibration error {scores.calibration_error:.4f}"
    )
    tell(*expected_score(folder, workspace).lines(), *ceiling_lines(workspace))
    card = read_card(folder)
    if card.is_refit:
        tell("These are the scores before `fercomp refit`: the model has learned from the holdout since")
    said = card.scores
    for name in ("valence", "arousal"):
        if f"ccc_{name}" in said:
            tell(
                f"{name}: CCC {said[f'ccc_{name}']:.4f}, RMSE {said[f'rmse_{name}']:.4f}, "
                f"same sign {said[f'sign_{name}']:.4f}"
            )
    *pictures, last = (
        str(path)
        for name in ("confusion", "reliability", "mistakes")
        if (path := folder / f"{name}.png").is_file()
    )
    tell(f"Look at {', '.join(pictures)} and {last}")
    say_next(*to_kaggle(model or folder.name, workspace.submission(folder.name)))
