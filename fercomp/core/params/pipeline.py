"""The models that the pipeline makes: which there are, what each is made of, and whether that can be."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from pydantic import Field, field_validator

from fercomp.core.errors import FercompError, unknown_name
from fercomp.core.params.backbone import COMPACT
from fercomp.core.params.group import Group, Name

TRAINED: Final = ("experiments", "relabelled", "students")
"""Groups of networks that `train` makes, each entry with its changes in `train`."""

MADE: Final = (*TRAINED, "ensembles", "refits")
"""All groups of models, each entry a few stages of the pipeline."""

CROSSVAL: Final = "crossval"
"""The model of the stage of that name, which may teach and be a member as well."""

_WEIGHTS: Final = re.compile(r"(?:\./)?models/([^/]+)/model\.keras")


class EnsembleParams(Group):
    """Two models as one.

    Attributes:
        members: The names of two models. Where one is an ensemble itself, its networks take part: so three
            are an ensemble and a third.
        weights: `equal` for all networks, `models`: half for each of the two, or `fitted`.
    """

    members: tuple[Name, Name]
    weights: Literal["equal", "models", "fitted"] = "equal"

    @field_validator("members", mode="before")
    @classmethod
    def _two_names(cls, members: Any) -> Any:
        # DVC can follow two names in an entry, but not a list.
        if not isinstance(members, (list, tuple)) or len(members) != 2:
            raise ValueError(
                "expected two names; a third model joins by an ensemble of an ensemble, such as "
                "{pair: {members: [a, b]}, three: {members: [pair, c]}}"
            )
        return members


class ModelParams(Group):
    """The models that the pipeline makes, by name. Each is a few stages of `dvc.yaml`.

    Attributes:
        experiments: What each experiment changes in `train`, by the experiment's name; and under `inference`
            what it changes there.
        relabelled: The same for experiments that learn from `datasets/labels.csv`; for these, `dvc repro`
            runs `crossval` and `relabel` first.
        students: The same for networks that learn from another model of this file, `teacher`, which `dvc
            repro` makes first. `weights` may be the `model.keras` of the teacher, or of a network in it.
        ensembles: Two models as one, by the ensemble's name: `members`, two names, and `weights`, `equal`,
            `models` or `fitted`. A member may be an ensemble itself: its networks take part.
        refits: Networks trained once more, on the holdout's photos too: by the new name, that of the network.
    """

    experiments: dict[Name, dict[str, Any]] = Field(default_factory=lambda: {COMPACT: {"backbone": COMPACT}})
    relabelled: dict[Name, dict[str, Any]] = Field(default_factory=dict)
    students: dict[Name, dict[str, Any]] = Field(default_factory=dict)
    ensembles: dict[Name, EnsembleParams] = Field(default_factory=dict)
    refits: dict[Name, Name] = Field(default_factory=dict)

    def group_of(self, name: str) -> str | None:
        """Returns the group of `MADE` that a model is in, if any."""
        return next((group for group in MADE if name in getattr(self, group)), None)

    def made_of(self, name: str) -> tuple[str, ...]:
        """Returns the models that one is made of: a student's teacher, members, what a refit repeats."""
        if name in self.ensembles:
            return self.ensembles[name].members
        source = self.students[name].get("teacher") if name in self.students else self.refits.get(name)
        return (source,) if isinstance(source, str) else ()

    def networks_in(self, name: str) -> Iterator[str]:
        """Yields the networks that a model stands for: those of an ensemble's members, or itself."""
        members = self.ensembles[name].members if name in self.ensembles else ()
        for member in members:
            yield from self.networks_in(member)
        if not members:
            yield name


def check_models(models: ModelParams) -> None:
    """Checks that `dvc repro` can make all models, each after those that it is made of.

    Args:
        models: As they stand in `params.yaml`.

    Raises:
        FercompError: Two have one name, one is made of a model that is not there, of itself, or of one that
            will not do.
    """
    names = [name for group in MADE for name in getattr(models, group)]
    if CROSSVAL in names:
        raise FercompError(f"{models.group_of(CROSSVAL)}.{CROSSVAL}: the stage `crossval` makes that model")
    if twice := [name for name in names if names.count(name) > 1]:
        first, second, *_ = (group for group in MADE if twice[0] in getattr(models, group))
        raise FercompError(f"{first} and {second} both have {twice[0]!r}: give one another name")
    for place, teacher in _teachers(models):
        if teacher in (*names, CROSSVAL):
            raise FercompError(
                f"parameter {place}.teacher: `dvc repro` makes {teacher} first for students only: move the "
                "entry there"
            )
    for name, changes in models.students.items():
        _check_teacher(name, changes)
    for name in names:
        for source in models.made_of(name):
            if source not in (*names, CROSSVAL):
                raise unknown_name(f"model in {models.group_of(name)}.{name}", source, (*names, CROSSVAL))
        _check_order(models, name, ())
    for name in models.ensembles:
        networks = list(models.networks_in(name))
        if twice := [network for network in networks if networks.count(network) > 1]:
            raise FercompError(f"ensembles.{name} has the network {twice[0]} twice: name each once")
    for name, changes in models.students.items():
        _check_weights(models, name, changes)
    for name, source in models.refits.items():
        if models.group_of(source) not in TRAINED:
            raise FercompError(
                f"refits.{name}: {source} is no network of {', '.join(TRAINED)}: refit one of these"
            )


def _teachers(models: ModelParams) -> Iterator[tuple[str, Any]]:
    for group in ("experiments", "relabelled"):
        for name, changes in getattr(models, group).items():
            teacher = changes.get("teacher")
            for one in teacher if isinstance(teacher, list) else [teacher]:
                yield f"{group}.{name}", one


def _check_teacher(name: str, changes: Mapping[str, Any]) -> None:
    teacher = changes.get("teacher")
    if not isinstance(teacher, str):
        raise FercompError(
            f"parameter students.{name}.teacher: expected the name of one model of this file, such as an "
            f"ensemble; received {teacher!r}"
        )


def _check_order(models: ModelParams, name: str, after: tuple[str, ...]) -> None:
    if name in after:
        raise FercompError(f"{name} is made of itself: {' <- '.join((*after[after.index(name) :], name))}")
    for source in models.made_of(name):
        _check_order(models, source, (*after, name))


def _check_weights(models: ModelParams, name: str, changes: Mapping[str, Any]) -> None:
    found = _WEIGHTS.fullmatch(str(changes.get("weights")))
    networks = list(models.networks_in(changes["teacher"]))
    if found and found[1] not in networks:
        raise FercompError(
            f"parameter students.{name}.weights: `dvc repro` does not make {found[1]} first; expected a "
            f"network of its teacher: {', '.join(networks)}"
        )
