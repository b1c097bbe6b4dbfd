"""The small groups of `params.yaml`: each belongs to the stage of the same name."""

from typing import Annotated, Final, Literal

from pydantic import Field

from fercomp.core.params.group import Group, Share
from fercomp.core.params.layout import LayoutParams

COMPETITION: Final = "skillbox-computer-vision-project"
"""The competition that fercomp was made for: the last part of its address at Kaggle."""


class FetchParams(Group):
    """Where the competition's files come from.

    Attributes:
        source: `demo` (drawn faces, no network), `kaggle` (needs an account), or the path of a zip archive
            or folder.
        competition: The last part of the competition's address at Kaggle; `fetch` downloads from there,
            `submit` sends there.
        layout: How that competition's files are laid out. The demo has a layout of its own, the default.
    """

    source: str = "demo"
    competition: Annotated[str, Field(pattern=r"^[a-z0-9](-?[a-z0-9])*$")] = COMPETITION
    layout: LayoutParams = LayoutParams()


class PrepareParams(Group):
    """How photos are indexed and divided.

    Attributes:
        folds: Number of cross-validation folds.
        holdout: Share of the labelled photos kept for `evaluate`, 0.001 to 0.5.
        duplicate_bits: Two photos may be near-duplicates when their 64-bit perceptual hashes differ in
            at most this many bits.
        duplicate_correlation: ... and are when their grey thumbnails correlate at least this much, 0 to 1.
        recompressed: Whether the labels of recompressed copies count: `count`, `ignore`, or `auto`, which
            ignores them where they contradict their pictures more often than other copies do, by Fisher's
            exact test (docs/reference/data.md).
        seed: Seed of the division.
    """

    folds: Annotated[int, Field(ge=2, le=50)] = 5
    holdout: Annotated[float, Field(ge=0.001, le=0.5)] = 0.15
    duplicate_bits: Annotated[int, Field(ge=0, le=32)] = 12
    duplicate_correlation: Share = 0.92
    recompressed: Literal["auto", "count", "ignore"] = "auto"
    seed: Annotated[int, Field(ge=0)] = 0


class RelabelParams(Group):
    """How given labels and a network's votes are weighed.

    Attributes:
        network_votes: How many people's votes the network's probabilities count as, beside the given labels
            of a picture and its copies. With 4, a picture without copies gets another label where that is
            more probable by more than 1/4 (docs/experiments/labels.md).
    """

    network_votes: Annotated[float, Field(ge=0, le=100)] = 4.0


class PredictParams(Group):
    """How test photos are classified.

    Attributes:
        network_votes: How many people's votes the network's probabilities count as, beside the labels that
            copies of the picture have among the labelled photos; `null` does not look at them. Where there is
            no copy, it changes nothing (docs/experiments/copies.md).
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
