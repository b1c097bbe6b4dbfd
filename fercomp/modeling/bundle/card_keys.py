"""The keys of `trained` and `scores` on a card that are read, and what they may hold."""

import json
from collections.abc import Mapping
from typing import Any, Final

INFERENCE: Final = "inference"
"""Where `Card.trained` says how the network is used, the group of parameters of that name."""

TAUGHT: Final = "taught_sha256"
"""Where `Card.trained` says what photos, labels and teacher the network learned from."""

REFIT_OF: Final = "refit_of"
"""Where `Card.trained` says which networks the scores are of: `stages.refit`."""

PRECISION: Final = "precision"
"""Where `Card.trained` says that a graph was quantised, or stored as float16: `export.quantise`."""

_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "params": (dict,),
    INFERENCE: (dict,),
    "decision": (dict,),
    "photos": (int,),
    TAUGHT: (str,),
    REFIT_OF: (str, dict),
    PRECISION: (str,),
}

_MOST_PHOTOS: Final = 2**32


def trained_fault(trained: Mapping[str, Any]) -> str | None:
    """Says what in `Card.trained` is not what is read there.

    Args:
        trained: It; other keys may hold anything that JSON can.

    Raises:
        ValueError: It holds something that JSON cannot.
    """
    json.dumps(trained, allow_nan=False)
    for key, kinds in _KINDS.items():
        value = trained.get(key)
        if key in trained and (isinstance(value, bool) or not isinstance(value, kinds)):
            return f"{key} is {value!r}, {' or '.join(kind.__name__ for kind in kinds)} was expected"
    if not 0 <= trained.get("photos", 0) <= _MOST_PHOTOS:
        return f"{trained['photos']} photos"
    return None


def scores_fault(scores: Mapping[str, float]) -> str | None:
    """Says which of `Card.scores` cannot be: shares are from 0 to 1, and there is a number of photos.

    Args:
        scores: They; other keys may hold any number.
    """
    for key, most in (("accuracy", 1), ("macro_f1", 1), ("n", _MOST_PHOTOS)):
        if not 0 <= scores.get(key, 0) <= most:
            return f"{key} is {scores[key]:g}, 0 to {most:,} was expected"
    return None
