"""The card of a bundle: what a trained model says of itself, and where it is found.

A bundle is a folder that explains itself:

    card.json          what the model is: classes, input, how it was trained, what it scored
    graph/             the inference graph for the runtime (empty where the network could not be exported)
    model.keras        the Keras model, for a GPU, for training further, and as the fallback of the runtime
    history.csv        one row per epoch of training
    holdout_probs.csv  probabilities of the holdout photos, beside their given labels
    decision.json      the threshold or the class bias that `uncertain` found; wins over the card
    members/           of an ensemble, instead of `graph/` and `model.keras`: a bundle for each network

`annotate` and `live` need the first two, or the card and the members; `predict` the third on a GPU. `export`
writes the decision into the card of the copy. A bundle may come from anywhere: the card is validated, the
network compared with its checksum, and nothing is unpickled.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from fercomp.core.classes import UNCERTAIN, names_fault
from fercomp.core.errors import FercompError
from fercomp.core.params import Group, Name
from fercomp.core.params.moved import modern
from fercomp.core.reading import first_problem, is_there, read_json
from fercomp.core.tables import taken_names
from fercomp.decisions.circumplex import VECTORS
from fercomp.decisions.rule import Rule
from fercomp.decisions.thresholds import Score
from fercomp.modeling.bundle.card_keys import REFIT_OF, scores_fault, trained_fault
from fercomp.modeling.bundle.graph_check import GraphCheck
from fercomp.modeling.bundle.kind import PhotoKind

FORMAT: Final = 6
"""Version; a higher one was written by a newer fercomp. 3 brought `files`, 4 `kind`, 5 `graph`, 6 `grey`."""

CARD: Final = "card.json"
DECISION: Final = "decision.json"
GRAPH: Final = "graph/graph.xml"
GRAPH_WEIGHTS: Final = "graph/graph.bin"
KERAS_MODEL: Final = "model.keras"
HISTORY_FILE: Final = "history.csv"
HOLDOUT: Final = "holdout_probs.csv"
OOF: Final = "oof.csv"
MEMBERS: Final = "members"

LARGEST_CARD: Final = 2**22  # bytes; the shipped ones have 4,000

_Temperature = Annotated[float, Field(ge=0.01, le=100)]  # `fit_temperature` gives 0.05 to 20
_Nats = Annotated[float, Field(ge=-1000, le=1000)]  # logarithms of probabilities are cut at -28
_Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Member(Group):
    """A network of an ensemble.

    Attributes:
        name: Name of its bundle inside the ensemble's `members/`; no path, so that it cannot lead outside.
        weight: Its share in the mean of the members' probabilities, once divided by the sum of all.
    """

    name: Name
    weight: float = Field(ge=1e-6, le=1)


class Decision(Group):
    """What `fercomp uncertain` found: how a model decides, and what that is worth on the holdout.

    Attributes:
        threshold, threshold_on, bias: As on the card.
        fitted_on: Name of the table that it was fitted on.
        scores: Scores on the holdout, where no photo is decided by what was fitted on it.
    """

    threshold: float | None = Field(default=None, ge=0, le=1)
    threshold_on: Score = "probability"
    bias: tuple[_Nats, ...] | None = None
    fitted_on: str
    scores: dict[str, float]

    @classmethod
    def by(cls, rule: Rule, fitted_on: str, scores: Mapping[str, float]) -> Self:
        """Says that a model decides by a rule, and what that was fitted on."""
        how = {"threshold": rule.threshold, "threshold_on": rule.threshold_on, "bias": rule.bias}
        return cls.model_validate({**how, "fitted_on": fitted_on, "scores": scores})


def _without(fault: Callable[[Any], str | None]) -> AfterValidator:
    """Makes the check that a field has no fault."""

    def check(value: Any) -> Any:
        if found := fault(value):
            raise ValueError(found)
        return value

    return AfterValidator(check)


def _fault_of_classes(classes: tuple[str, ...]) -> str | None:
    fault, taken = names_fault(classes), taken_names(classes)
    if fault or not taken:
        return fault
    return f"the class {taken[0]!r} has the name of another column of the tables: choose another"


def _fault_of_members(members: tuple[Member, ...]) -> str | None:
    return "a member is named twice" if len({one.name for one in members}) < len(members) else None


class Card(Group):
    """What a bundle says of itself.

    Attributes:
        format: Version of this card.
        name: Name of the experiment; no path, since what is made with the model is named after it.
        backbone: Name of the backbone, or `ensemble`.
        classes: Class names in the order of the network's K outputs.
        head: What the network gives: `emotion`, probabilities; `valence_arousal`, a point, from which classes
            and their probabilities are decoded (`decisions.circumplex`); or `both`, probabilities first.
        size: Side of the network's input in pixels, S; of an ensemble's first member.
        margin: Share of a detected face's box added on each side before cropping; likewise.
        grey: The network turns what it sees into grey itself, and takes RGB like any other; no cards of an
            earlier version say so.
        flip: Probabilities are the mean over the face and its mirror image.
        views: Test-time augmentation (TTA): photos that are framed on a face already, such as the holdout's,
            are answered by the mean over nine views (`faces.tta`); an ensemble's members say so themselves.
        members: The networks of an ensemble, whose weighted mean is the answer; none in a single network.
        threshold: A face of which the model is less sure is called `uncertain`; none if `null`.
        threshold_on: The top `probability`, its `margin` over the second, or `entropy` (`thresholds.SCORES`).
        bias: The class bias, K values in nats, added to log-probabilities before the likeliest class is
            chosen; the probabilities that are shown stay as they are. None if `null`.
        temperature: Probabilities are raised to its inverse and normalised (temperature scaling).
        runtime: What runs the bundle: `openvino` or, where the graph could not be exported, `keras`.
        trained: Parameters of `train` and `inference`, git commit, fingerprint of the data, package
            versions.
        scores: Scores on the holdout, after temperature, with threshold and bias; empty without a holdout.
            With `refit_of` in `trained`, those of the network or networks that this one repeats.
        files: SHA-256 by name of the files that the network is in, so that no other is taken for it; none
            for an ensemble, whose members have their own, and on cards of an earlier version.
        kind: What the photos were like that it learned from; `null` on cards of an earlier version.
        graph: How far the graph is from the Keras network; `null` likewise, and where there is none.
    """

    format: int = FORMAT
    name: Name
    backbone: str
    classes: Annotated[tuple[str, ...], Field(min_length=2), _without(_fault_of_classes)]
    head: Literal["emotion", "valence_arousal", "both"] = "emotion"
    size: int = Field(ge=8, le=4096)
    margin: float = Field(ge=0, le=2)
    grey: bool = False
    flip: bool = False
    views: bool = False
    members: Annotated[tuple[Member, ...], _without(_fault_of_members)] = ()
    threshold: float | None = Field(default=None, ge=0, le=1)
    threshold_on: Score = "probability"
    bias: tuple[_Nats, ...] | None = None
    temperature: _Temperature = 1.0
    runtime: Literal["openvino", "keras"]
    trained: Annotated[dict[str, Any], _without(trained_fault)]
    scores: Annotated[dict[str, float], _without(scores_fault)]
    files: dict[str, _Sha256] = Field(default_factory=dict)
    kind: PhotoKind | None = None
    graph: GraphCheck | None = None

    @model_validator(mode="after")
    def _a_bias_for_each_class(self) -> Self:
        if self.bias is not None and len(self.bias) != len(self.classes):
            raise ValueError(f"bias has {len(self.bias)} values for {len(self.classes)} classes")
        return self

    @model_validator(mode="after")
    def _a_class_for_every_name_of_a_point(self) -> Self:
        missing = {*VECTORS, UNCERTAIN} - set(self.classes)
        if self.head == "valence_arousal" and missing:
            raise ValueError(f"points may be named {sorted(missing)}, which are none of the classes")
        if self.head != "emotion" and self.members:
            raise ValueError("an ensemble has the head emotion")
        return self

    @property
    def width(self) -> int:
        """Number of outputs of the network, W."""
        return {"emotion": len(self.classes), "valence_arousal": 2, "both": len(self.classes) + 2}[self.head]

    @property
    def network(self) -> tuple[str, ...]:
        """Names of the files that the runtime needs, relative to the bundle; none for an ensemble."""
        if self.members:
            return ()
        return (GRAPH, GRAPH_WEIGHTS) if self.runtime == "openvino" else (KERAS_MODEL,)

    @property
    def is_refit(self) -> bool:
        """Whether it, or a network in it, has learned from the holdout since it was scored there."""
        return REFIT_OF in self.trained

    @property
    def rule(self) -> Rule:
        """How the model decides."""
        return Rule(self.classes, self.threshold, self.threshold_on, self.bias)


def read_card(folder: Path) -> Card:
    """Reads and validates the card of a bundle, with the decision beside it where there is one.

    Args:
        folder: The bundle.

    Returns:
        The card.

    Raises:
        FercompError: There is no such folder or card, a file is damaged, or a newer fercomp wrote it.
    """
    path = folder / CARD
    if not is_there(path):
        what = "has no card.json, so it is not a model" if folder.is_dir() else "not found"
        raise FercompError(f"model folder {folder} {what}: train one with `fercomp train`, or name another")
    values = read_json(path, LARGEST_CARD, "train the model again")
    version = values.get("format")
    if isinstance(version, int) and version > FORMAT:
        raise FercompError(f"{path} has format {version}, this fercomp reads up to {FORMAT}: update fercomp")
    try:
        card = Card.model_validate(modern(values))
    except ValueError as error:
        raise FercompError(f"{path} is damaged ({first_problem(error)}): train the model again") from error
    path = folder / DECISION
    if not is_there(path):
        return card
    remedy = "run `fercomp uncertain` again"
    try:
        return _decided(card, Decision.model_validate(read_json(path, LARGEST_CARD, remedy)))
    except ValueError as error:
        raise FercompError(f"{path} is damaged ({first_problem(error)}): {remedy}") from error


def _decided(card: Card, decision: Decision) -> Card:
    found = decision.model_dump()
    about = {"fitted_on": found.pop("fitted_on")}
    found["scores"] = {**card.scores, **decision.scores}
    return Card.model_validate({**card.model_dump(), **found, "trained": {**card.trained, "decision": about}})
