"""How long a training will take, by two batches of it."""

import numpy as np

from fercomp.core.errors import FercompError
from fercomp.core.params import Plan
from fercomp.core.progress import say
from fercomp.core.timing import seconds_each
from fercomp.faces.tta import number_of_views
from fercomp.modeling.backend.devices import (
    all_devices,
    has_gpu,
    is_emulated,
    is_out_of_memory,
    precision,
)
from fercomp.modeling.backend.engine import keras, make_deterministic
from fercomp.modeling.export.graph import export_openvino, exported
from fercomp.modeling.training.fit import network_of
from fercomp.modeling.training.network import set_trainable
from fercomp.modeling.training.phases import phases_of


def forecast(plan: Plan, train: int, holdout: int) -> tuple[float, bool]:
    """Trains and asks a network like the one of a plan for three batches, two of which are timed.

    Says where the processor emulates the precision, which takes many times as long.

    To be called in a process of its own (`core.isolated`): it leaves Keras in another state.

    Args:
        plan: How the network comes about.
        train: Number of photos to train on.
        holdout: Number of those that are held out.

    Returns:
        Seconds for all epochs and the scores at the end, if no phase stops before `minutes` and no features
        are cached; and whether a GPU does the work.
    """
    params = plan.train
    make_deterministic(params.seed)  # as it will be trained
    while True:
        try:
            step, answer, scored = _seconds_a_photo(plan)
            break
        except Exception as error:
            if params.batch_size == 1 or not is_out_of_memory(error):
                raise
            params = params.halved()
            plan = plan.changed(**params.model_dump())
    if is_emulated(params.precision):
        say(f"this processor emulates {params.precision}: train.precision=float32 takes far less time")
    seconds = 0.0
    for phase in phases_of(params):
        if phase.name == "head":  # on features, which take a look at each view
            seconds += scored * (params.head_views * train + holdout)
        else:
            seconds += phase.epochs * (step * train + answer * holdout)
    if params.minutes is not None:
        seconds = min(seconds, 60 * params.minutes)
    looks = number_of_views(plan.inference.views, plan.inference.flip)
    return seconds + scored * looks * holdout, has_gpu()


def _seconds_a_photo(plan: Plan) -> tuple[float, float, float]:
    """Returns the seconds that a photo takes in a step, in an answer, and in one of what scores it."""
    params = plan.train
    with precision(params.precision), all_devices() as share:
        model = network_of(params)
        keep = params.batch_norm == "keep"
        set_trainable(model, head_only=False, keep_batch_norm=keep, unfreeze=params.unfreeze)
        model.compile(keras.optimizers.AdamW(), "mean_squared_error")
        n = share.padded(params.batch_size, params.batch_size)
        faces = np.zeros((n, params.size, params.size, 3), dtype=np.uint8)
        targets = np.zeros((n, model.output_shape[-1]), dtype=np.float32)
        step = seconds_each(lambda: model.train_on_batch(faces, targets))
        answer = seconds_each(lambda: model.predict_on_batch(faces))
        scored = answer if has_gpu() else _seconds_of_graph(model, faces)
    return step / params.batch_size, answer / n, scored / n


def _seconds_of_graph(model: keras.Model, faces: np.ndarray) -> float:
    """Times the runtime, which computes features and scores where there is no GPU."""
    try:
        network = exported(model, export_openvino)
    except FercompError:  # such a network stays with Keras
        return seconds_each(lambda: model.predict_on_batch(faces))
    return seconds_each(lambda: network(faces))
