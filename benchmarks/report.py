"""Measures `fercomp report` in a made workspace: twelve models, 5,000 labelled photos, eleven submissions.

Usage: python benchmarks/report.py [FOLDER]

Prints, for five runs each, the seconds of the command and those of a process that only reads the tables
which it shows (the raw stage), and the size of the page. The workspace stays in FOLDER, if one is named.
"""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from fercomp.core.classes import EMOTIONS
from fercomp.core.csv_table import write_csv
from fercomp.core.params import TrainParams
from fercomp.core.paths import Workspace
from fercomp.core.tables import PHOTOS, PROBLEMS, holdout_table
from fercomp.decisions.metrics import confusion, per_class, score
from fercomp.demo.competition import write_demo
from fercomp.kaggle.submissions.history import HISTORY_TABLE
from fercomp.modeling.bundle.card import CARD, HISTORY_FILE, HOLDOUT, Card
from fercomp.modeling.training.training_set import data_fingerprint

MODELS, LABELLED, EPOCHS, RUNS = 12, 5_000, 40, 5
PROJECT = Path(__file__).parents[1]
CLI = (sys.executable, "-c", "from fercomp.cli.app import main; main()", "report")
RAW = """
from pathlib import Path
import pandas as pd
for folder in ("datasets", "submissions", "models", "models/*"):
    for path in Path().glob(f"{folder}/*.csv"):
        pd.read_csv(path)
"""


def write_workspace(root: Path) -> Workspace:
    """Writes the drawn photos of the demo many times, and models that are as good as chance and wishes."""
    workspace, rng = Workspace(root), np.random.default_rng(0)
    write_demo(workspace.raw)
    drawn = pd.read_csv(workspace.train_csv)
    source = [(path.removeprefix("./"), label) for path, label in drawn[["image_path", "emotion"]].to_numpy()]
    rows = []
    for i in range(LABELLED):
        first, label = source[i % len(source)]
        path = f"train/{label}/n{i}.jpg"
        if not (workspace.raw / path).exists():
            (workspace.raw / path).hardlink_to(workspace.raw / first)
        rows.append((path, "holdout" if i % 5 == 0 else "train", label, i % 5))
    photos = pd.DataFrame(rows, columns=["image_path", "split", "emotion", "fold"])
    wrong = rng.random(LABELLED) < 0.05
    photos.loc[wrong, "emotion"] = rng.choice(EMOTIONS, wrong.sum())
    numbers = np.arange(LABELLED)
    photos = photos.assign(
        width=96,
        height=96,
        sha1=[f"{i:040x}" for i in numbers],
        phash="0" * 16,
        duplicate_group=np.where(numbers % 9 == 1, numbers - 1, numbers),
        recompressed=0,
    )
    photos["width"] = photos["height"] = rng.choice([96, 128, 200, 350, 512], LABELLED)
    tests = photos.iloc[:900].assign(
        split="test", emotion="", fold=-1, duplicate_group=LABELLED + numbers[:900]
    )
    tests["image_path"] = [f"test_kaggle/{i}.jpg" for i in range(900)]
    photos = pd.concat([photos, tests])
    PHOTOS.write(photos, workspace.photos)
    lost = pd.DataFrame(
        {"image_path": [f"train/x{i}.jpg" for i in range(7)], "split": "train", "emotion": "sad"}
    )
    PROBLEMS.write(lost.assign(reason="truncated"), workspace.problems)
    accuracies = {f"run-{i:02}": _write_model(workspace, photos, i, rng) for i in range(MODELS)}
    _write_history(workspace, accuracies, rng)
    return workspace


def _write_model(workspace: Workspace, photos: pd.DataFrame, number: int, rng: np.random.Generator) -> float:
    folder = workspace.bundle(f"run-{number:02}")
    holdout = photos[photos["split"] == "holdout"]
    labels = holdout["emotion"].map(EMOTIONS.index).to_numpy()
    logits = rng.normal(0, 1, (len(labels), 9)) + (1 + number / 8) * np.eye(9)[labels]
    logits[labels == 3] += 0.9 * np.eye(9)[7]  # fear looks like surprise
    answers = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    table = pd.DataFrame(answers, columns=list(EMOTIONS))
    table = table.assign(image_path=holdout["image_path"].tolist(), emotion=holdout["emotion"].tolist())
    holdout_table(EMOTIONS).write(table, folder / HOLDOUT)
    params = TrainParams(seed=number, epochs=EPOCHS, mixup=number % 3 / 5, dropout=number % 4 / 10)
    scores = score(answers, labels)
    trained = {
        "params": params.model_dump(),
        "best_epoch": EPOCHS - 5,
        "data_sha256": data_fingerprint(photos),
    }
    trained["git_commit"] = f"{number:02}" + "a1b2c3d4e5" * 3
    card = Card(
        name=folder.name,
        backbone="compact",
        classes=EMOTIONS,
        size=48,
        margin=0.1,
        runtime="openvino",
        trained=trained,
        scores=scores.rounded(),
    )
    (folder / CARD).write_text(card.model_dump_json())
    (folder / "graph").mkdir()
    for name in ("graph.xml", "graph.bin"):
        (folder / "graph" / name).write_bytes(bytes(1_000_000 + number * 100_000))
    epochs = np.arange(1, EPOCHS + 1)
    rise = 1 - np.exp(-epochs / (6 + number))
    history = pd.DataFrame({"epoch": epochs, "phase": "whole"})
    history["loss"] = 2.2 - 1.5 * rise + rng.normal(0, 0.02, EPOCHS)
    history["accuracy"] = 0.11 + (scores.accuracy + 0.05) * rise
    history["holdout_loss"] = 2.2 - 1.2 * rise + rng.normal(0, 0.03, EPOCHS)
    history["holdout_accuracy"] = 0.11 + (scores.accuracy - 0.11) * rise + rng.normal(0, 0.01, EPOCHS)
    write_csv(history.assign(learning_rate=0.001), folder / HISTORY_FILE)
    decided = answers.argmax(axis=1)
    counted = pd.DataFrame(confusion(decided, labels, 9), index=list(EMOTIONS), columns=list(EMOTIONS))
    write_csv(counted, folder / "confusion.csv", index_label="emotion")
    write_csv(per_class(decided, labels, EMOTIONS), folder / "per_class.csv")
    return scores.accuracy


def _write_history(workspace: Workspace, accuracies: dict[str, float], rng: np.random.Generator) -> None:
    rows = []
    for i, (name, accuracy) in enumerate(list(accuracies.items())[:-1]):
        public, private = accuracy + rng.normal(-0.01, 0.01), accuracy + rng.normal(-0.015, 0.005)
        row = dict.fromkeys(HISTORY_TABLE.columns, "")
        row |= {
            "time": f"2026-11-{i + 1:02}T12:00:00+00:00",
            "file": f"submissions/{name}.csv",
            "experiment": name,
        }
        row |= {"holdout_accuracy": f"{accuracy:.4f}", "public": f"{public:.5f}", "ref": str(100 + i)}
        row |= {"private": f"{private:.5f}", "status": "complete", "message": f"{name} [sha256:{i:012x}]"}
        rows.append(row)
    HISTORY_TABLE.write(pd.DataFrame(rows), workspace.history)
    header = "model,backbone,runtime,parameters,megabytes,accuracy,macro_f1,kaggle_public,kaggle_private,"
    header += "ms_per_face,images_per_second,keeps_25_fps,problem\n"
    lines = (f"{name},compact,,,,,,,,{rng.uniform(1, 9):.2f},,yes,\n" for name in accuracies)
    (workspace.models / "bench.csv").write_text(header + "".join(lines))
    standing = {
        "competition": "faces",
        "time": "2026-11-20T10:00:00+00:00",
        "team": "we",
        "rank": 12,
        "teams": 340,
    }
    (workspace.submissions / "standing.json").write_text(json.dumps(standing))


def main() -> None:
    """Prints what was measured."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(sys.argv[1] if len(sys.argv) > 1 else scratch)
        if not (root / "models").exists():
            write_workspace(root)
            for name in ("dvc.yaml", "params.yaml"):
                shutil.copy(PROJECT / name, root)
            shutil.copytree(PROJECT / "pipelines", root / "pipelines")
            subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], cwd=root, check=True)
        for what, command in (("report", CLI), ("reading its tables", (sys.executable, "-c", RAW))):
            seconds = []
            for _ in range(RUNS):
                start = time.monotonic()
                subprocess.run(command, cwd=root, check=True, stdout=subprocess.DEVNULL)
                seconds.append(time.monotonic() - start)
            print(f"{what}: median {statistics.median(seconds):.2f} s, first {seconds[0]:.2f} s")
        print(f"size: {(root / 'report.html').stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
