"""Whether a bundle holds a network that need not be trained."""

from pathlib import Path

from pydantic import ValidationError

from fercomp.core.errors import FercompError
from fercomp.core.params import FACENET, InferenceParams, TrainParams
from fercomp.modeling.bundle.card import HISTORY_FILE, HOLDOUT, KERAS_MODEL, Card, read_card
from fercomp.modeling.bundle.card_keys import INFERENCE, TAUGHT
from fercomp.modeling.training.training_set import TrainingData


def trained_before(target: Path, params: TrainParams, data: TrainingData) -> Card | None:
    """Returns the card of a bundle whose network was trained so, on this; `None` where there is none."""
    card = trained_with(target, params)
    return card if card and card.trained.get(TAUGHT) == data.fingerprint else None


def trained_with(target: Path, params: TrainParams) -> Card | None:
    """Returns the card of a bundle whose network was trained with these parameters, whatever it learned."""
    try:
        card = read_card(target)
        used = TrainParams.model_validate(card.trained.get("params"))
        InferenceParams.model_validate(card.trained.get(INFERENCE))
    except (FercompError, ValidationError):  # none, damaged, of a version with other parameters, an ensemble
        return None
    if is_cut_facenet(card):
        return None
    while params.batch_size > used.batch_size:  # halved in training, where it did not fit into memory
        params = params.halved()
    whole = (target / KERAS_MODEL).is_file() and (target / HISTORY_FILE).is_file()
    return card if whole and used.model_dump() == params.model_dump() else None


def is_cut_facenet(card: Card) -> bool:
    """Tells whether a network is `facenet` as earlier versions had it, up to its third 17x17 block."""
    # The whole of it came together with `grey`.
    return card.backbone == FACENET and "grey" not in card.trained.get("params", {})


def is_used_so(target: Path, card: Card, inference: InferenceParams) -> bool:
    """Tells whether a bundle is complete, and made for this use of its network."""
    complete = all((target / file).is_file() for file in (HOLDOUT, *card.network))
    return complete and InferenceParams.model_validate(card.trained[INFERENCE]) == inference
