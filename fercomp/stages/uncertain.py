"""How a model comes to say `uncertain`: what thresholds are worth, and the best of them beside the model."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from fercomp.core.csv_table import write_csv
from fercomp.core.files import write_json
from fercomp.core.params import UncertainParams
from fercomp.core.text_table import numbers, text_table, texts
from fercomp.decisions.fitting import cross_fitted_answers, fit_of, pays
from fercomp.decisions.metrics import Scores, score
from fercomp.decisions.rule import Rule
from fercomp.decisions.thresholds import SCORES, Score, Sweep, sweep
from fercomp.modeling.bundle.card import DECISION, HOLDOUT, OOF, Decision, read_card
from fercomp.modeling.bundle.holdout import fit_out_of_fold, read_holdout
from fercomp.modeling.bundle.model_card import write_model_card
from fercomp.report.label_plots import plot_sweep

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

ORIGINAL: Final = (0.15, 0.2, 0.3, 0.4)
"""The thresholds on the top probability that the study tried from which this project grew."""


@dataclass(frozen=True)
class Settled:
    """How a model decides from now on, and why.

    Attributes:
        rule: How it decides.
        fitted: The threshold or the class bias that was found, whether it is used or not.
        fitted_on: Name of the table that they were found on.
        plain: Scores on the holdout of the likeliest class.
        decided: Scores with what was found.
        cross_fitted: Scores where no photo is decided by what was found on it.
        sweeps: What thresholds are worth, by what they are on.
    """

    rule: Rule
    fitted: Rule
    fitted_on: str
    plain: Scores
    decided: Scores
    cross_fitted: Scores
    sweeps: Mapping[Score, Sweep]

    @property
    def used(self) -> bool:
        """Whether photos that it was not fitted on are answered better, by more than chance may do."""
        return self.rule == self.fitted

    @property
    def sentence(self) -> str:
        """What was decided and why, in one sentence."""
        plain, unseen = self.plain.accuracy, self.cross_fitted.accuracy
        if self.fitted.bias is None:
            what = f"threshold of {self.fitted.threshold:.3g} on the {self.fitted.threshold_on}"
        else:
            what = "correction of the classes (class bias)"
        if self.used:
            return (
                f"A {what} from now on: on unseen photos it raises accuracy from {plain:.3f} to {unseen:.3f}."
            )
        if unseen == plain:
            return f"Nothing changed: the tested {what} leaves accuracy at {plain:.3f} on unseen photos."
        change, why = ("raise", ", which may be chance") if unseen > plain else ("lower", "")
        return (
            f"Nothing changed: the tested {what} would {change} accuracy from {plain:.3f} to {unseen:.3f} on "
            f"unseen photos{why}."
        )


def settle_uncertain(folder: Path, params: UncertainParams) -> Settled:
    """Finds how a model should say `uncertain`, and writes it beside the model.

    A model without that class gets a threshold, the most accurate one on the holdout. A model that has it
    gets a class bias, fitted on its out-of-fold probabilities (`oof.csv`) or, where it has none,
    on the holdout. Either is used only if it is more accurate than the likeliest class on photos that it was
    not fitted on, by more than chance may do (`decisions.fitting.pays`).

    Writes `decision.json`, `uncertain.csv` (the sweep for each score), `uncertain.png` and the model card.

    Args:
        folder: The bundle, with its holdout table.
        params: What the threshold is on.

    Returns:
        What was found.

    Raises:
        FercompError: The bundle lacks a table, or the table holds a label that the model cannot answer.
    """
    card = read_card(folder)
    _, probabilities, labels = read_holdout(folder, card)
    plain, fit = Rule(card.classes), fit_of(card.classes, params.score)
    sweeps = {name: sweep(probabilities, labels, plain.unsure, name) for name in SCORES}
    if (folder / OOF).is_file() and plain.unsure < len(card.classes):
        fitted, fitted_on = fit_out_of_fold(folder, card, fit), OOF
        answers = fitted.decide(probabilities)
    else:
        fitted, fitted_on = fit(probabilities, labels), HOLDOUT
        answers = cross_fitted_answers(fit, probabilities, labels)
    likeliest = plain.decide(probabilities)
    before, after, honest = (
        score(probabilities, labels, given) for given in (likeliest, fitted.decide(probabilities), answers)
    )
    rule = fitted if pays(answers, likeliest, labels) else plain
    settled = Settled(rule, fitted, fitted_on, before, after, honest, sweeps)
    _write(folder, settled, params.score)
    return settled


def _write(folder: Path, settled: Settled, on: Score) -> None:
    scores = (settled.cross_fitted if settled.used else settled.plain).rounded()
    decision = Decision.by(settled.rule, settled.fitted_on, scores)
    write_json(folder / DECISION, decision.model_dump())
    write_model_card(folder)
    write_csv(sweep_frame(settled.sweeps), folder / "uncertain.csv")
    plot_sweep(settled.sweeps[on], on, settled.rule.threshold, folder.name, folder / "uncertain.png")


def sweep_frame(sweeps: Mapping[Score, Sweep]) -> "pd.DataFrame":
    """Returns sweeps as one table: `score`, `threshold`, `accuracy`, `macro_f1`, `coverage`."""
    import pandas as pd

    parts = [pd.DataFrame({"score": name, **asdict(found)}) for name, found in sweeps.items()]
    return pd.concat(parts, ignore_index=True).rename(columns={"thresholds": "threshold"})


def sweep_table(sweeps: Mapping[Score, Sweep], title: str) -> "Table":
    """Lays sweeps out for the terminal: the floor, the original study's thresholds, each score's best."""
    shown = sweeps["probability"]
    at = [0, *(int(np.abs(shown.thresholds - threshold).argmin()) for threshold in ORIGINAL)]
    rows = [("probability", shown, i, " (floor)" if i == 0 else "") for i in at]
    rows += [(name, found, found.best, " (best)") for name, found in sweeps.items()]
    lines = (
        (
            f"{name} {found.thresholds[i]:.3g}{note}",
            *(f"{values[i]:.4f}" for values in (found.accuracy, found.macro_f1, found.coverage)),
        )
        for name, found, i, note in rows
    )
    return text_table(texts("uncertain below") | numbers("accuracy", "macro-F1", "coverage"), lines, title)
