"""The main job, from nothing to annotated photos and a clip, in one call."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from fercomp.annotate.batch import annotate_media
from fercomp.annotate.summary import Summary
from fercomp.core.params import AugmentParams, Params
from fercomp.core.paths import Workspace
from fercomp.core.progress import say
from fercomp.core.tables import PHOTOS, PROBLEMS
from fercomp.decisions.metrics import Scores
from fercomp.demo.competition import MEDIA
from fercomp.kaggle.submissions.csv_file import write_submission
from fercomp.modeling.bundle.model import load_bundle
from fercomp.stages.evaluate import evaluate_model
from fercomp.stages.fetch import fetch
from fercomp.stages.predicting.predict import predict_test
from fercomp.stages.prepare import prepare
from fercomp.stages.train import train_experiment

EXPERIMENT: Final = "compact"
FEW_PHOTOS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "batch_size": 16,
        "epochs": 32,
        "patience": 32,
        "label_smoothing": 0.0,
        "ema": 0.98,
        "augment": AugmentParams(rotate=5.0, shift=0.03, zoom=0.05, brightness=0.05, contrast=0.1, erase=0.0),
    }
)
"""Changes in `train` for a few hundred photos: more and smaller steps, in about a minute. Photos that are
changed as much as is good for thousands keep a network from learning anything in so few steps."""


def run_demo(workspace: Workspace, params: Params) -> tuple[Scores, Summary]:
    """Unpacks the demo data, runs every stage on it and annotates its photos and its clip.

    Args:
        workspace: A folder of the demo's own.
        params: Parameters of the stages; `fetch.source` is the demo's whatever they say.

    Returns:
        The scores on the holdout of drawn faces, and what was annotated into `annotated/` of the folder.
    """
    say("1/5 unpacking drawn faces and photos")
    fetch("demo", workspace.raw)
    say("2/5 looking through the photos")
    prepared = prepare(workspace.raw, params.prepare)
    PHOTOS.write(prepared.photos, workspace.photos)
    PROBLEMS.write(prepared.problems, workspace.problems)
    say(f"3/5 training {EXPERIMENT} on them")
    train_experiment(EXPERIMENT, params.plan(EXPERIMENT).changed(**FEW_PHOTOS), workspace)
    say("4/5 scoring it and writing a submission")
    folder = workspace.bundle(EXPERIMENT)
    scores, _ = evaluate_model(folder, workspace.raw)
    predict_test(folder, workspace, params.predict, params.machine)
    write_submission(folder, workspace)
    say("5/5 annotating photos and a clip")
    return scores, annotate_media(workspace.raw / MEDIA, workspace.root / "annotated", load_bundle(folder))
