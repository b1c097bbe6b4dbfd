"""`params.yaml`: the one source of hyperparameters, typed and checked.

A group is what the stage of its name reads, but for two: `inference` says what is done with trained networks,
and `machine` what this machine can bear. No weight depends on these. Unknown keys are refused with their
nearest matches, so that a misspelt setting never goes unnoticed. A test keeps the shipped `params.yaml` equal
to the defaults.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

from fercomp.core.errors import FercompError
from fercomp.core.params.group import Group, merged, validated
from fercomp.core.params.inference import InferenceParams
from fercomp.core.params.machine import MachineParams
from fercomp.core.params.moved import refuse_moved
from fercomp.core.params.pipeline import TRAINED, ModelParams, check_models
from fercomp.core.params.stages import (
    FetchParams,
    PredictParams,
    PrepareParams,
    RelabelParams,
    UncertainParams,
)
from fercomp.core.params.train import TrainParams
from fercomp.core.reading import LARGEST_YAML, is_there, parse_yaml, read_at_most

_DEEPEST: Final = 10
"""Groups within groups that a key typed by hand may name. Ours have 4, `experiments.NAME.augment.flip`."""


class Plan(Group):
    """How one network comes about.

    Attributes:
        train: What its weights depend on.
        inference: What is done with it then.
        machine: What this machine can bear meanwhile.
    """

    train: TrainParams = TrainParams()
    inference: InferenceParams = InferenceParams()
    machine: MachineParams = MachineParams()

    def changed(self, **train: Any) -> Self:
        """Returns the same with other values in `train`, which are not checked."""
        return self.model_copy(update={"train": self.train.model_copy(update=train)})


class Params(ModelParams):
    """The whole of `params.yaml`.

    Attributes:
        fetch: Parameters of the stage `fetch`.
        prepare: Parameters of the stage `prepare`.
        train: Parameters of the stage `train`, shared by all experiments.
        inference: What is done with trained networks, shared by all experiments.
        machine: What this machine can bear.
        relabel: Parameters of the stage `relabel`.
        uncertain: Parameters of the stage `uncertain`.
        predict: Parameters of the stage `predict`.
    """

    fetch: FetchParams = FetchParams()
    prepare: PrepareParams = PrepareParams()
    train: TrainParams = TrainParams()
    inference: InferenceParams = InferenceParams()
    machine: MachineParams = MachineParams()
    relabel: RelabelParams = RelabelParams()
    uncertain: UncertainParams = UncertainParams()
    predict: PredictParams = PredictParams()

    def plan(self, name: str, backbone: str | None = None) -> Plan:
        """Returns how an experiment's network comes about.

        Args:
            name: Its name; an experiment that is not listed has the shared parameters.
            backbone: The backbone, where it was named by hand; it wins over the experiment's own.

        Returns:
            The parameters, checked.

        Raises:
            FercompError: The experiment changes a parameter that does not exist, or to a wrong value; or the
                name is that of an ensemble or a refit.
        """
        group = self.group_of(name) or "experiments"
        if group not in TRAINED:
            raise FercompError(
                f"{name} stands under {group} in params.yaml: choose another --name, or type "
                f"`fercomp {group.removesuffix('s')}`"
            )
        changes = dict(getattr(self, group).get(name, {}))
        inference = changes.pop("inference", {})
        if not isinstance(inference, Mapping):
            raise FercompError(
                f"parameter {group}.{name}.inference: expected keys and values such as {{views: false}}; "
                f"received {inference!r}"
            )
        if backbone:
            changes["backbone"] = backbone
        prefix = f"{group}.{name}."
        return Plan(
            train=validated(TrainParams, merged(_set(self.train), changes), prefix),
            inference=validated(
                InferenceParams, merged(_set(self.inference), inference), f"{prefix}inference."
            ),
            machine=self.machine,
        )


def _set(group: Group) -> dict[str, Any]:
    """Returns only what was set: a default may depend on what an experiment changes."""
    return group.model_dump(exclude_unset=True)


def load_params(path: Path, overrides: Sequence[str] = ()) -> Params:
    """Reads `params.yaml`.

    Args:
        path: The file. Where it does not exist, every parameter has its default.
        overrides: Changes such as `"train.epochs=5"`; values are read as YAML.

    Returns:
        The parameters, checked.

    Raises:
        FercompError: It is something else than a file, not YAML, or a key or value is not one of ours.
    """
    values = _file(path)
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise FercompError(f"{path} holds {type(values).__name__}, groups of parameters were expected")
    params = _checked(values)
    _check_pipeline(params)
    for override in overrides:
        key, equals, text = override.partition("=")
        keys = key.strip().split(".")
        if not equals or not key or len(keys) > _DEEPEST:
            raise FercompError(f"--set {override}: expected KEY=VALUE, such as train.epochs=5")
        change = _nested(keys, parse_yaml(text, f"--set {override}"))
        values = _over_experiments(merged(values, change), change)
    return _checked(values) if overrides else params


def _checked(values: dict[str, Any]) -> Params:
    refuse_moved(values)
    params = validated(Params, values, "")
    for group in TRAINED:
        for name in getattr(params, group):
            params.plan(name)
    return params


def _check_pipeline(params: Params) -> None:
    """Checks what `dvc repro` will read: the file, without what is typed by hand for one command."""
    check_models(params)
    for name in params.students:
        if params.plan(name).train.needs_crossval:
            raise FercompError(
                f"students.{name} is taught labels or points that `crossval` makes, and `dvc repro` would "
                "not see them change: train it by hand, with `fercomp distill`"
            )


def load_machine(path: Path) -> MachineParams:
    """Reads the group `machine` alone, for commands that are at home in any folder.

    Args:
        path: A `params.yaml`, maybe of another program, or none.

    Returns:
        The parameters, checked; the defaults where the file has no such group.

    Raises:
        FercompError: It is something else than a file, not YAML, or the group is not one of ours.
    """
    values = _file(path)
    group = values.get("machine", {}) if isinstance(values, dict) else {}
    return validated(MachineParams, group, "machine.")


def _over_experiments(values: dict[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Lets what is typed by hand win over what an experiment changes."""
    train, inference = change.get("train"), change.get("inference")
    by_hand = dict(train) if isinstance(train, dict) else {}
    if isinstance(inference, dict):
        by_hand["inference"] = inference
    for group in TRAINED:
        experiments = values.get(group)
        if by_hand and isinstance(experiments, dict):
            values[group] = {
                name: merged(changes, by_hand) if isinstance(changes, dict) else changes
                for name, changes in experiments.items()
            }
    return values


def _file(path: Path) -> Any:
    return parse_yaml(read_at_most(path, LARGEST_YAML), str(path)) if is_there(path) else None


def _nested(keys: Sequence[str], value: Any) -> dict[str, Any]:
    for key in reversed(keys):
        value = {key: value}
    result: dict[str, Any] = value
    return result
