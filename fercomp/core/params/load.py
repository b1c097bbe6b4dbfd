"""`params.yaml`: the one source of hyperparameters, typed and checked.

Every group is a stage of the same name. Unknown keys are refused with their nearest matches, so that a
misspelt setting never goes unnoticed. Defaults stand here; a test keeps the shipped `params.yaml` equal.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from fercomp.core.errors import FercompError
from fercomp.core.params.group import Group, Name, Share, merged, validated
from fercomp.core.params.train import COMPACT, TrainParams

COMPETITION: Final = "skillbox-computer-vision-project"
"""The competition that fercomp was made for: the last part of its address at Kaggle."""


class FetchParams(Group):
    """Where the competition's files come from.

    Attributes:
        source: `demo` (drawn faces, no network), `kaggle` (needs an account), or the path of a zip archive
            or folder.
        competition: The last part of the competition's address at Kaggle; `fetch` downloads from there,
            `submit` sends there.
    """

    source: str = "demo"
    competition: Annotated[str, Field(pattern=r"^[a-z0-9](-?[a-z0-9])*$")] = COMPETITION


class PrepareParams(Group):
    """How photos are indexed and divided.

    Attributes:
        folds: Number of cross-validation folds.
        holdout: Share of the labelled photos kept for `evaluate`, 0 to 0.5.
        duplicate_bits: Two photos may be near-duplicates when their 64-bit perceptual hashes differ in
            at most this many bits.
        duplicate_correlation: ... and are when their grey thumbnails correlate at least this much, 0 to 1.
        seed: Seed of the division.
    """

    folds: Annotated[int, Field(ge=2, le=50)] = 5
    holdout: Annotated[float, Field(gt=0.0, le=0.5)] = 0.15
    duplicate_bits: Annotated[int, Field(ge=0, le=32)] = 12
    duplicate_correlation: Share = 0.92
    seed: Annotated[int, Field(ge=0)] = 0


class RelabelParams(Group):
    """How given labels and a network's opinion are weighed.

    Attributes:
        network_votes: How many people's votes the network's probabilities count as, beside the given labels
            of a picture and its copies. With 4, a picture without copies gets another label where that is
            more probable by more than 1/4 (docs/labels.md has the figures).
    """

    network_votes: Annotated[float, Field(ge=0, le=100)] = 4.0


class PredictParams(Group):
    """How test photos are classified.

    Attributes:
        network_votes: How many people's votes the network's probabilities count as, beside the labels that
            copies of the picture have among the labelled photos; `null` does not look at them. Where there is
            no copy, it changes nothing (docs/labels.md has the figures).
        copy_votes: How many votes the label of a copy counts as that is another file, such as one cut or
            scaled a little differently; that of the very same file counts as one.
    """

    network_votes: Annotated[float, Field(gt=0, le=100)] | None = 2.5
    copy_votes: Share = 0.25


class UncertainParams(Group):
    """How a model without the class `uncertain` comes to say so.

    Attributes:
        score: What the threshold is on: the top `probability`, its `margin` over the second, or `entropy`.
    """

    score: Literal["probability", "margin", "entropy"] = "probability"


class Params(Group):
    """The whole of `params.yaml`.

    Attributes:
        fetch: Parameters of the stage `fetch`.
        prepare: Parameters of the stage `prepare`.
        train: Parameters of the stage `train`, shared by all experiments.
        relabel: Parameters of the stage `relabel`.
        uncertain: Parameters of the stage `uncertain`.
        predict: Parameters of the stage `predict`.
        experiments: What each experiment changes in `train`, by the experiment's name.
        relabelled: The same for experiments that learn from `datasets/labels.csv`; for these, `dvc repro`
            runs `crossval` and `relabel` first.
    """

    fetch: FetchParams = FetchParams()
    prepare: PrepareParams = PrepareParams()
    train: TrainParams = TrainParams()
    relabel: RelabelParams = RelabelParams()
    uncertain: UncertainParams = UncertainParams()
    predict: PredictParams = PredictParams()
    experiments: dict[Name, dict[str, Any]] = Field(default_factory=lambda: {COMPACT: {"backbone": COMPACT}})
    relabelled: dict[Name, dict[str, Any]] = Field(default_factory=dict)

    def experiment(self, name: str, backbone: str | None = None) -> TrainParams:
        """Returns the training parameters of an experiment.

        Args:
            name: Its name; an experiment that is not listed has the shared parameters.
            backbone: The backbone, where it was named by hand; it wins over the experiment's own.

        Returns:
            The parameters, checked.

        Raises:
            FercompError: The experiment changes a parameter that does not exist, or to a wrong value.
        """
        group = "relabelled" if name in self.relabelled else "experiments"
        changes = dict(getattr(self, group).get(name, {}))
        if backbone:
            changes["backbone"] = backbone
        # Only what was set: a default may depend on what the experiment changes.
        shared = self.train.model_dump(exclude_unset=True)
        return validated(TrainParams, merged(shared, changes), f"{group}.{name}.")


def load_params(path: Path, overrides: Sequence[str] = ()) -> Params:
    """Reads `params.yaml`.

    Args:
        path: The file. Where it does not exist, every parameter has its default.
        overrides: Changes such as `"train.epochs=5"`; values are read as YAML.

    Returns:
        The parameters, checked.

    Raises:
        FercompError: The file is not YAML, or a key or value is not one of ours.
    """
    values = _yaml(path.read_bytes(), str(path)) if path.is_file() else None
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise FercompError(f"{path} holds {type(values).__name__}, groups of parameters were expected")
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or not key:
            raise FercompError(f"--set {override}: expected KEY=VALUE, such as train.epochs=5")
        change = _nested(key.strip().split("."), _yaml(text, f"--set {override}"))
        values = merged(values, change)
        # What is typed by hand wins over what an experiment changes in `train`.
        train = change.get("train")
        for group in ("experiments", "relabelled"):
            experiments = values.get(group)
            if isinstance(train, dict) and isinstance(experiments, dict):
                values[group] = {
                    name: merged(changes, train) if isinstance(changes, dict) else changes
                    for name, changes in experiments.items()
                }
    params = validated(Params, values, "")
    if twice := sorted(params.experiments.keys() & params.relabelled.keys()):
        raise FercompError(f"experiments and relabelled both have {twice[0]!r}: give one another name")
    for name in (*params.experiments, *params.relabelled):
        params.experiment(name)
    return params


def _yaml(text: str | bytes, place: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    # Wrong UTF-8 and impossible dates come as ValueError, endless brackets as RecursionError.
    except (YAMLError, ValueError, RecursionError) as error:
        raise FercompError(f"{place} is not YAML: {' '.join(str(error).split())}") from error


def _nested(keys: Sequence[str], value: Any) -> dict[str, Any]:
    for key in reversed(keys):
        value = {key: value}
    result: dict[str, Any] = value
    return result
