"""The group `train` of `params.yaml`: how one network is trained, which is what its weights depend on."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from fercomp.core.classes import class_names
from fercomp.core.params.augment import AugmentParams
from fercomp.core.params.backbone import COMPACT, usual_size, usual_weights
from fercomp.core.params.group import Group, Share

RECIPE: Final = 1
"""What `train.recipe` is in networks that this code trains. See `tests/modeling/training/test_recipe.py`."""

_LEAST: Final = 1e-12
_MOST: Final = 1e12
"""Of factors: what is far smaller or larger is 0 or infinity in float32, or is so once it is multiplied."""


class TrainParams(Group):
    """How one network is trained: the head with the backbone frozen, then fine-tuning of all of it.

    All that the weights depend on, and nothing else: a network that was trained with the same parameters on
    the same photos is not trained again, and a checkpoint of such a training goes on.

    Attributes:
        recipe: Version of the code that trains. It is raised where a change of the code lets the weights come
            out differently, so that networks are trained again; a higher number of one's own does so too.
        backbone: `compact`, `compact_wide`, `efficientnet_lite0`, `facenet`, the lower-case name of a
            network of `keras.applications`, or the name of a preset of KerasHub's.
        weights: Where the backbone starts from: `none`, `imagenet`, `faces` (`facenet` alone has these),
            `preset` (KerasHub's networks), the path of a weights file, or of another experiment's
            `model.keras`. By default `imagenet`, but `faces` for `facenet`, `none` for `compact` and
            `compact_wide`, and `preset` for KerasHub's.
        size: Side of the network's input in pixels. By default 224, for which most networks were made;
            48 for `compact` and `compact_wide`, 96 for `efficientnet_lite0`, 128 for `facenet`, which suit
            small photos; of KerasHub's networks, what the preset is for.
        grey: Whether the network turns what it sees into grey, before anything else: where it learns from
            grey photos, colours would be new to it. `auto`: where the training photos are grey.
        classes: 9, or 8 without `uncertain`: photos labelled so are not trained on, and `fercomp uncertain`
            finds the threshold below which an answer becomes `uncertain`.
        head: What the network gives: `emotion`, a probability for each class; `valence_arousal`, a point,
            which is then named (`decisions.circumplex`); or `both`.
        va_targets: The points it is taught: `mean` of the emotions' vectors weighted by out-of-fold
            probabilities; `ray`, drawn on the label's ray as far out as the label is probable out of fold; or
            the path of a CSV with `path`, `valence` and `arousal`.
        va_loss: `ccc`, 1 less the concordance of a batch (Lin, 1989), or `mse`, the squared distance.
        va_weight: Weight of that loss beside the classes' one, where the head is `both`.
        batch_size: Photos per pass through the network. Where they do not fit into memory, it is halved.
        accumulate: Passes whose gradients are added up before the weights change, so that a step sees
            `batch_size * accumulate` photos.
        precision: `float32`, `bfloat16` or `float16` for the arithmetic (weights stay float32; Micikevicius
            et al., 2018). `auto`: `bfloat16` on a GPU that has it, `float32` elsewhere.
        batch_norm: What batch normalisation in the backbone does in fine-tuning: `learn`,
            or `keep` the statistics, scale and offset that the weights came with, which takes less time.
            By default `keep` with weights from other photos than ours (ImageNet, faces, a weights file),
            whose statistics small batches would spoil; `learn` with none or those of another experiment.
        unfreeze: What of the backbone is trained in fine-tuning: `all`, or a number, its last layers with
            weights, of which batch normalisation has some, too.
        layer_decay: The backbone's layers are split into twelve groups. Each group learns at this share of
            the rate of the group after it, the last of the head's (Clark et al., 2020); 1: all at the same
            rate.
        hidden: Units of a hidden layer (ReLU) between pooled features and the classifier; 0 for none.
        head_epochs: Epochs with the backbone frozen. Skipped where the backbone has no weights to keep.
        head_views: Augmented views of each photo whose features are computed once for the head phase; its
            epochs take them in turn.
        epochs: Epochs of fine-tuning, or of training from scratch.
        head_learning_rate: Rate of the head phase (AdamW, constant).
        learning_rate: Highest rate of the second phase (AdamW, linear warm-up, then cosine decay to 0). By
            default 0.002, and 0.0001 where there are weights to keep.
        warmup: Share of the second phase's steps spent on warm-up.
        weight_decay: Decoupled weight decay of AdamW (Loshchilov and Hutter, 2019).
        dropout: Share of pooled features dropped before the classifier, and of a hidden layer.
        loss: `cross_entropy`, or one made for wrong labels: `gce` (generalised cross entropy; Zhang and
            Sabuncu, 2018) or `sce` (symmetric cross entropy; Wang et al., 2019).
        label_smoothing: Share of the target spread evenly over all classes (Szegedy et al., 2016).
        photos: Most labelled photos to train on, to try things: each class keeps its share, copies of a
            picture are all there or not at all, and `seed` chooses; a larger number has the same photos and
            more. `null`: all. The holdout stays whole.
        minutes: Minutes after which the training of a network ends, to try things: learning rates take their
            usual course, the epoch that is running is cut off and scored, and the best weights are kept.
            What comes out depends on the machine, so it cannot be repeated. `null`: no limit; nor is there
            one in `refit`, which repeats epochs.
        labels: What training photos are taught as. `given`: their given labels. `relabelled`: the suggested
            ones of `datasets/labels.csv`. `weighted`: every label by the share of people who are expected to
            give it, so the given one by its quality (soft bootstrapping; Arazo et al., 2019). With the last
            two, photos that a reviewer dropped are left out. The holdout is scored against given labels in
            any case.
        duplicate_labels: `soft`: copies of a picture share the mean of their labels, of which those of
            recompressed copies are not counted; `given`: each keeps its own.
        balance: What is done for rare classes: `none`, `class_weights` (each class weighs the same) or
            `logit_adjustment` (Menon et al., 2021). Both cost accuracy where the test is as unbalanced.
        mixup: Two photos are blended by a share drawn from Beta(mixup, mixup) (Zhang et al., 2018); 0 for
            none.
        cutmix: A rectangle of a photo is covered by that of another one, of a share of the area drawn from
            Beta(cutmix, cutmix), but at most half (Yun et al., 2019); 0 for none. Beside `mixup`, each batch
            has either.
        ema: Share of the old value in the exponential moving average of the weights, per step; it is what is
            scored and kept (Polyak and Juditsky, 1992; Tarvainen and Valpola, 2017). 0 for none.
        teacher: Name or folder of a model whose probabilities of the training photos are learned too
            (distillation, Hinton et al., 2015), or a list of several, whose mean is; `null` for none.
        teacher_weight: Share of the teacher's probabilities in the target.
        teacher_view: Ask the teacher about the very view of a photo that the student sees, changed as it is
            (Beyer et al., 2022): its networks run on the processor in every epoch of fine-tuning. Epochs with
            the backbone frozen learn labels alone.
        test_photos: Whether test photos are learned, too, each as what the teacher says of it (soft
            pseudo-labels; Lee, 2013; Xie et al., 2020). Copies of a photo of the holdout are not, and the
            teacher may not have learned from it, so that its score stays one of photos that are new.
        patience: Epochs without a better holdout accuracy after which a phase stops.
        seed: Seed of weights, order and augmentation.
        augment: Random changes of training photos.
    """

    recipe: Annotated[int, Field(ge=1)] = RECIPE
    backbone: str = COMPACT
    weights: str = Field(default_factory=lambda given: usual_weights(given.get("backbone")))
    size: int = Field(default_factory=lambda given: usual_size(given.get("backbone")), ge=16, le=1024)
    grey: bool | Literal["auto"] = False
    classes: Literal[8, 9] = 9
    head: Literal["emotion", "valence_arousal", "both"] = "emotion"
    va_targets: str = "mean"
    va_loss: Literal["ccc", "mse"] = "ccc"
    va_weight: Annotated[float, Field(ge=0, le=_MOST)] = 0.5
    batch_size: Annotated[int, Field(ge=1)] = 32
    accumulate: Annotated[int, Field(ge=1)] = 1
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    batch_norm: Literal["keep", "learn"] = Field(default_factory=lambda given: _batch_norm(given))
    unfreeze: Literal["all"] | int = "all"
    layer_decay: Annotated[float, Field(ge=_LEAST, le=1)] = 1.0
    hidden: Annotated[int, Field(ge=0, le=8192)] = 0
    head_epochs: Annotated[int, Field(ge=0)] = 3
    head_views: Annotated[int, Field(ge=1)] = 2
    epochs: Annotated[int, Field(ge=0)] = 20
    head_learning_rate: Annotated[float, Field(ge=_LEAST, le=_MOST)] = 1e-3
    learning_rate: float = Field(
        default_factory=lambda given: 2e-3 if given.get("weights") == "none" else 1e-4, ge=_LEAST, le=_MOST
    )
    warmup: Share = 0.1
    weight_decay: Annotated[float, Field(ge=0, le=_MOST)] = 0.02
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    loss: Literal["cross_entropy", "gce", "sce"] = "cross_entropy"
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.1
    photos: Annotated[int, Field(ge=1)] | None = None
    minutes: Annotated[float, Field(ge=_LEAST)] | None = None
    labels: Literal["given", "relabelled", "weighted"] = "given"
    duplicate_labels: Literal["soft", "given"] = "soft"
    balance: Literal["none", "class_weights", "logit_adjustment"] = "none"
    mixup: Annotated[float, Field(ge=0, le=10)] = 0.0
    cutmix: Annotated[float, Field(ge=0, le=10)] = 0.0
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.998
    teacher: str | Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    teacher_weight: Share = 0.7
    teacher_view: bool = False
    test_photos: bool = False
    patience: Annotated[int, Field(ge=1)] = 10
    seed: Annotated[int, Field(ge=0)] = 0
    augment: AugmentParams = AugmentParams()

    @field_validator("loss", mode="before")
    @classmethod
    def _elr_is_no_more(cls, loss: Any) -> Any:
        if loss == "elr":
            raise ValueError("elr was removed, it cost 0.016 of accuracy (three seeds): take cross_entropy")
        return loss

    @model_validator(mode="after")
    def _points_are_named_uncertain_too(self) -> Self:
        if self.head == "valence_arousal" and self.classes != 9:
            raise ValueError("the head valence_arousal may name a face uncertain: leave train.classes at 9")
        return self

    @field_validator("unfreeze", mode="before")
    @classmethod
    def _all_or_some(cls, unfreeze: Any, given: ValidationInfo) -> Any:
        if unfreeze != "all" and (type(unfreeze) is not int or unfreeze < 1):
            raise ValueError("expected all, or how many of the last layers to train, 1 or more")
        if unfreeze != "all" and given.data.get("weights") == "none":
            raise ValueError("expected all, since without weights there is nothing to keep frozen")
        return unfreeze

    @field_validator("teacher_view", "test_photos")
    @classmethod
    def _there_is_a_teacher(cls, wanted: bool, given: ValidationInfo) -> bool:
        tests = given.field_name == "test_photos"
        if wanted and not given.data.get("teacher"):
            why = "test photos are taught as a teacher names them" if tests else "nobody is asked about views"
            raise ValueError(f"{why}: name a model as train.teacher")
        if wanted and tests and given.data.get("head") == "valence_arousal":
            raise ValueError("points of test photos are not known: leave it false, or set train.head to both")
        return wanted

    @model_validator(mode="after")
    def _there_is_something_to_keep(self) -> Self:
        if self.weights == "none" and self.batch_norm == "keep":
            raise ValueError(
                "without weights, batch normalisation has nothing to keep: set batch_norm to learn"
            )
        return self

    @property
    def teachers(self) -> tuple[str, ...]:
        """The names or folders of `teacher`."""
        return (self.teacher,) if isinstance(self.teacher, str) else self.teacher or ()

    @property
    def makes_points(self) -> bool:
        """Whether points are taught that are made from what `crossval` says."""
        return self.head != "emotion" and self.va_targets in ("mean", "ray")

    @property
    def needs_crossval(self) -> bool:
        """Whether labels or points are taught that are made from what `crossval` says."""
        return self.labels != "given" or self.makes_points

    def halved(self) -> Self:
        """Returns the same with half as many photos in a batch, and twice as many batches in a step."""
        return self.model_copy(update={"batch_size": self.batch_size // 2, "accumulate": 2 * self.accumulate})

    @property
    def class_names(self) -> tuple[str, ...]:
        """The K classes that the network is taught, in the order of its outputs."""
        return class_names(self.classes)

    @model_validator(mode="before")
    @classmethod
    def _null_is_the_default(cls, values: Any) -> Any:
        """Lets `null` in a file stand for a default that depends on the backbone."""
        if not isinstance(values, Mapping):
            return values
        return {key: value for key, value in values.items() if value is not None}


def _batch_norm(given: Mapping[str, Any]) -> Literal["keep", "learn"]:
    weights = str(given.get("weights"))
    return "learn" if weights == "none" or weights.endswith(".keras") else "keep"
