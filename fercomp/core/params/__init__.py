"""`params.yaml`: the one source of hyperparameters, typed and checked."""

from fercomp.core.params.augment import AugmentParams
from fercomp.core.params.backbone import COMPACT, COMPACT_WIDE, FACENET, LITE0
from fercomp.core.params.group import Group, Name
from fercomp.core.params.inference import InferenceParams
from fercomp.core.params.layout import LayoutParams
from fercomp.core.params.load import Params, Plan, load_machine, load_params
from fercomp.core.params.machine import MachineParams, Wanted
from fercomp.core.params.stages import (
    COMPETITION,
    FetchParams,
    PredictParams,
    PrepareParams,
    RelabelParams,
    UncertainParams,
)
from fercomp.core.params.train import TrainParams

__all__ = [
    "COMPACT",
    "COMPACT_WIDE",
    "COMPETITION",
    "FACENET",
    "LITE0",
    "AugmentParams",
    "FetchParams",
    "Group",
    "InferenceParams",
    "LayoutParams",
    "MachineParams",
    "Name",
    "Params",
    "Plan",
    "PredictParams",
    "PrepareParams",
    "RelabelParams",
    "TrainParams",
    "UncertainParams",
    "Wanted",
    "load_machine",
    "load_params",
]
