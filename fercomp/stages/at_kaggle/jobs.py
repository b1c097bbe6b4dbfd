"""Commands that can run at Kaggle: what each reads from here, what it leaves, and where that goes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from fercomp.core.errors import FercompError
from fercomp.core.hub_presets import hub_presets
from fercomp.core.params import Group, Params, Plan
from fercomp.core.params.pipeline import MADE
from fercomp.core.paths import Workspace
from fercomp.core.reading import is_there
from fercomp.kaggle.kernels.packing import fingerprint_of
from fercomp.kaggle.kernels.vendored import least_keras, vendored_files
from fercomp.kaggle.kernels.work import Step, Work
from fercomp.modeling.backend.hub import needs_hub
from fercomp.modeling.bundle.card import CARD, DECISION, GRAPH, KERAS_MODEL, OOF, Decision, read_card
from fercomp.modeling.bundle.find import new_model, output_name, resolve_model
from fercomp.stages.at_kaggle.sent_files import files_at, files_of_model, needed_file, sent_as

INDEX: Final = ("datasets/photos.csv", "datasets/problems.csv")
TABLES: Final = (*INDEX, "datasets/labels.csv")
"""Tables that come here only where there is none of that name."""

_SCORES: Final = "test_probs"
_PARTS: Final = f"{_SCORES}.part-*.csv"

_DVC_CONFIG: Final = b"[core]\n    no_scm = True\n    analytics = False\n"


@dataclass(frozen=True)
class Job:
    """A command that is to run at Kaggle.

    Attributes:
        name: What it is called, such as `train-compact`.
        words: The command, after `fercomp`.
        competition: Whose files it reads.
        gpu: Whether it wants a GPU.
        work: What its kernels do.
        settings: JSON of the parameters that what comes out depends on.
    """

    name: str
    words: tuple[str, ...]
    competition: str
    gpu: bool
    work: Work
    settings: str = ""

    @property
    def fingerprint(self) -> str:
        """A SHA-256 over what comes out depends on, apart from the code."""
        return fingerprint_of((self.name, self.settings), self.competition, self.work.files)


def train_job(
    name: str, backbone: str | None, set_: Sequence[str], params: Params, workspace: Workspace
) -> Job:
    """Makes the job of `fercomp train`."""
    new_model(name, workspace)
    plan = params.plan(name, backbone)
    words = ["train", "--name", name, *(["--backbone", backbone] if backbone else [])]
    further = files_at(workspace, "params.yaml", f"models/.training/{name}.npz")
    files, done = _taught(plan, workspace), (f"models/{name}",)
    return _job(words, set_, params, (plan.train, plan.inference), files, done, further)


def crossval_job(
    name: str, backbone: str | None, set_: Sequence[str], params: Params, workspace: Workspace
) -> Job:
    """Makes the job of `fercomp crossval`."""
    new_model(name, workspace)
    plan = params.plan(name, backbone).changed(labels="given", test_photos=False)
    words = ["crossval", "--name", name, *(["--backbone", backbone] if backbone else [])]
    folds = [f"models/.training/folds/{name}-{number}" for number in range(params.prepare.folds)]
    further = files_at(workspace, "params.yaml", f"models/.training/{name}-[0-9]*.npz", *folds)
    files, done = _taught(plan, workspace), (f"models/{name}", *folds)
    return _job(words, set_, params, (plan.train, plan.inference), files, done, further)


def predict_job(model: str | None, set_: Sequence[str], params: Params, workspace: Workspace) -> Job:
    """Makes the job of `fercomp predict`."""
    folder = resolve_model(model, workspace)
    name = output_name(folder, workspace)
    files, done = files_of_model(folder, workspace), (f"models/{name}/{_SCORES}.csv",)
    further = files_at(workspace, "params.yaml")
    return _job(["predict", "--model", name], set_, params, (params.predict,), files, done, further)


def submission_job(folder: Path, params: Params, workspace: Workspace) -> Job:
    """Makes the job of `fercomp submit --kernel`: `predict` and `submission`, without internet.

    What tells it again is the model and those parameters that its answers depend on.

    Args:
        folder: The model's.
        params: The parameters.
        workspace: Where the model is.
    """
    name = output_name(folder, workspace)
    groups = {"fetch", "prepare", "predict"}
    matters = params.model_dump(mode="json", include=groups, exclude={"fetch": {"source"}})
    # Not the decision's file, whose scores may change where no answer does.
    decision = Decision.by(read_card(folder).rule, "", {}).model_dump_json().encode()
    files = {
        **files_of_model(folder, workspace),
        f"{sent_as(folder, workspace)}/{DECISION}": decision,
        "params.yaml": json.dumps(matters).encode(),
    }
    device = ("--set", f"machine.device={params.machine.device}")
    job = _job(("predict", "--model", name, *device), (), params, (params.predict,), files, (), {})
    csv = f"submissions/{name}.csv"
    networks = [graph.parents[1] / KERAS_MODEL for graph in folder.rglob(GRAPH)]
    openvino = any(not network.is_file() or needs_hub(network) for network in networks)
    work = Work(
        steps=(*job.work.steps, Step(words=("submission", "--model", name))),
        done=(csv, f"models/{name}/{_SCORES}.csv", *INDEX),
        cut=(),  # Kaggle runs it again on other photos: nothing may come from an earlier kernel
        files=files,
        further=vendored_files(openvino),
        internet=False,
        submits=csv,
    )
    gpu = job.gpu and any(network.is_file() for network in networks)
    words = ("submit", "--kernel", "--model", name)
    return replace(job, name=f"submit-{name}", words=words, work=work, gpu=gpu)


def repro_job(file: Path, params: Params, workspace: Workspace) -> Job:
    """Makes the job of `dvc repro` with a file of parameters in place of `params.yaml`.

    Raises:
        FercompError: There is no pipeline here, the file's photos are not the competition's, or a network is
            KerasHub's.
    """
    if params.fetch.source != "kaggle":
        raise FercompError(
            f"{file} has fetch.source {params.fetch.source}, which is not at Kaggle: set it to kaggle"
        )
    if not is_there(workspace.root / "dvc.yaml"):
        raise FercompError("dvc.yaml is not here: run this in a clone of fercomp's repository")
    for name in (*params.experiments, *params.relabelled, *params.students):
        _check_backbone(params.plan(name))
    files: dict[str, Path | bytes] = {
        **files_at(workspace, "dvc.yaml", "pipelines", ".dvcignore", "datasets/review.jsonl"),
        "params.yaml": file.read_bytes(),
        ".dvc/config": _DVC_CONFIG,
    }
    models = [f"models/{name}" for group in MADE for name in getattr(params, group)]
    there = ("models/[!.]*", *models, "submissions/*.csv", *TABLES)
    kept = (*there, "models/.training", "datasets/overview", "datasets/relabel", "dvc.lock", ".dvc/cache")
    gpu = params.machine.device != "cpu"
    name = f"repro-{file.stem.removeprefix('params.')}"
    work = Work((Step(words=("dvc", "repro")),), there, kept, files)
    return Job(name, ("repro", file.name), params.fetch.competition, gpu, work)


def _job(
    words: Sequence[str],
    set_: Sequence[str],
    params: Params,
    used: Sequence[Group],
    files: Mapping[str, Path | bytes],
    done: tuple[str, ...],
    further: Mapping[str, Path | bytes],
) -> Job:
    command, _, name = words[:3]
    overrides = [word for value in set_ for word in ("--set", value)]
    groups = [group.model_dump(mode="json") for group in (*used, params.prepare, params.fetch.layout)]
    steps = (
        Step(words=("fetch", "--source", "kaggle", *overrides)),
        Step(words=("prepare", *overrides), makes=INDEX[0]),
        Step(words=(*words, *overrides)),
    )
    return Job(
        name=f"{command}-{name}",
        words=(*words, *overrides),
        competition=params.fetch.competition,
        gpu=params.machine.device != "cpu",
        work=Work(
            steps=steps,
            done=(*done, *INDEX),
            cut=(*INDEX, f"models/{name}/{_PARTS}" if command == "predict" else "models/.training"),
            files=files,
            further={**further, **least_keras(files)},
        ),
        settings=json.dumps(groups, sort_keys=True),
    )


def _check_backbone(plan: Plan) -> None:
    if plan.train.backbone in hub_presets():
        raise FercompError(
            f"{plan.train.backbone} is a network of KerasHub, which fercomp does not install at Kaggle: "
            "train it here (docs/how-to/hub.md), or another one there"
        )


def _taught(plan: Plan, workspace: Workspace) -> dict[str, Path | bytes]:
    """Lists what a network learns from besides the competition's photos.

    Raises:
        FercompError: A file is missing, or the network is KerasHub's.
    """
    _check_backbone(plan)
    train = plan.train
    files: dict[str, Path | bytes] = {}
    if train.labels != "given":
        files |= needed_file(workspace, "datasets/labels.csv", "run `fercomp relabel`")
    if train.makes_points:
        oof = workspace.oof.relative_to(workspace.root).as_posix()
        files |= needed_file(workspace, oof, "run `fercomp crossval`")
        files |= files_at(workspace, f"models/crossval/{CARD}")
    elif train.head != "emotion":
        files |= needed_file(workspace, train.va_targets, "train.va_targets is a file of this folder")
    if "." in train.weights:
        files |= needed_file(workspace, train.weights, "train.weights is a file of this folder")
    for teacher in train.teachers:
        files |= files_of_model(resolve_model(teacher, workspace), workspace, DECISION, OOF)
    return files
