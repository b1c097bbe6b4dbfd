"""`params.yaml`: the one source of hyperparameters, typed and checked."""

from fercomp.core.params.group import Group, Name
from fercomp.core.params.load import (
    COMPETITION,
    FetchParams,
    Params,
    PredictParams,
    PrepareParams,
    RelabelParams,
    UncertainParams,
    load_params,
)
from fercomp.core.params.train import COMPACT, COMPACT_WIDE, FACENET, LITE0, AugmentParams, TrainParams

__all__ = [
    "COMPACT",
    "COMPACT_WIDE",
    "COMPETITION",
    "FACENET",
    "LITE0",
    "AugmentParams",
    "FetchParams",
    "Group",
    "Name",
    "Params",
    "PredictParams",
    "PrepareParams",
    "RelabelParams",
    "TrainParams",
    "UncertainParams",
    "load_params",
]
