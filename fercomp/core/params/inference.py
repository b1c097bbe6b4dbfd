"""The group `inference` of `params.yaml`: what is done with a network once it is trained."""

from typing import Annotated, Literal

from pydantic import Field

from fercomp.core.params.group import Group


class InferenceParams(Group):
    """How a trained network is used. Another choice needs no training, only another export and calibration.

    Attributes:
        margin: Share of a detector's box added on each side so that a found face is framed like the
            training photos, which are used whole. `null` measures it on training photos.
        flip: Let the model average its answers over a face and its mirror image, which takes twice the time.
        views: Let the model average its answers about the competition's photos, and the holdout's, over nine
            views of each (test-time augmentation, `faces.tta`), which takes nine times the time of one look.
            Without it, `annotate` looks once, too, whatever its `--views`; `live` always does.
        precision: How the weights of the inference graph are stored: `float16` takes half the size of
            `float32`, and the arithmetic stays float32.
    """

    margin: Annotated[float, Field(ge=0, le=1)] | None = None
    flip: bool = True
    views: bool = True
    precision: Literal["float32", "float16"] = "float32"
