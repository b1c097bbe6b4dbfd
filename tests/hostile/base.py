"""The workspace that every case gets a copy of: drawn faces, an index, a small model, its tables."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from fercomp.core.classes import EMOTIONS

SIDE = 32
"""Pixels of the model's input."""

_MODEL = """
import sys, numpy as np, openvino
from openvino import opset13 as ops
target, side, classes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
faces = ops.parameter([-1, side, side, 3], np.uint8)
flat = ops.reshape(ops.convert(faces, "f32"), np.array([-1, side * side * 3]), special_zero=False)
weights = np.random.default_rng(0).normal(0, 0.05, (side * side * 3, classes)).astype(np.float32)
answers = ops.softmax(ops.matmul(ops.divide(flat, np.float32(255)), weights, False, False), 1)
openvino.save_model(openvino.Model([answers], [faces]), target, compress_to_fp16=False)
"""


def write_base(base: Path) -> None:
    """Writes the workspace, through fercomp's own commands as far as they go."""
    base.mkdir(parents=True)
    _write_raw(base / "datasets" / "raw")
    (base / "precious").mkdir()
    (base / "precious" / "notes.txt").write_text("not to be touched")
    fercomp(base, "prepare")
    _write_model(base / "models" / "tiny")
    fercomp(base, "predict", "--model", "tiny")
    fercomp(base, "submission", "--model", "tiny")
    fercomp(base, "robustness", "--model", "tiny", "--photos", "2")
    (base / "datasets" / "review.jsonl").write_text("")
    write_out_of_fold(base)
    fercomp(base, "relabel")


def fercomp(folder: Path, *words: str) -> None:
    """Runs a command that has to end well."""
    subprocess.run([sys.executable, "-m", "fercomp", *words], cwd=folder, check=True, capture_output=True)


def face(emotion: str, seed: int, side: int = 40) -> Image.Image:
    """Draws a face."""
    from tests.drawn import draw_face

    return Image.fromarray(draw_face(emotion, np.random.default_rng(seed), side))


def _write_raw(raw: Path) -> None:
    rows = []
    for emotion in EMOTIONS:
        (raw / "train" / emotion).mkdir(parents=True)
        for i in range(6):
            face(emotion, i).save(raw / "train" / emotion / f"{i}.jpg")
            rows.append((f"./train/{emotion}/{i}.jpg", emotion))
    pd.DataFrame(rows, columns=["image_path", "emotion"]).to_csv(raw / "train.csv")
    (raw / "test_kaggle").mkdir()
    for i in range(5):
        face(EMOTIONS[i], 100 + i).save(raw / "test_kaggle" / f"{i}.jpg")
    sample = pd.DataFrame({"image_path": [f"{i}.jpg" for i in range(5)], "emotion": "neutral"})
    sample.to_csv(raw / "sample_submission.csv", index=False)


def _write_model(folder: Path) -> None:
    (folder / "graph").mkdir(parents=True)
    arguments = [str(folder / "graph" / "graph.xml"), str(SIDE), str(len(EMOTIONS))]
    subprocess.run([sys.executable, "-c", _MODEL, *arguments], check=True)
    card = {"name": "tiny", "backbone": "linear", "classes": list(EMOTIONS), "size": SIDE, "margin": 0.1}
    card |= {"runtime": "openvino", "trained": {}, "scores": {"accuracy": 0.5, "macro_f1": 0.4, "n": 9}}
    (folder / "card.json").write_text(json.dumps(card, indent=2))
    photos = pd.read_csv(folder.parents[1] / "datasets" / "photos.csv").query("split == 'holdout'")
    table = pd.DataFrame({"image_path": photos["image_path"], "emotion": photos["emotion"]})
    rows = np.random.default_rng(1).dirichlet(np.ones(len(EMOTIONS)), len(table))
    table[list(EMOTIONS)] = rows
    table.to_csv(folder / "holdout_probs.csv", index=False, float_format="%.6f")


def write_out_of_fold(base: Path) -> None:
    """Writes what `crossval` would: probabilities of all labelled photos."""
    photos = pd.read_csv(base / "datasets" / "photos.csv").query("split != 'test'")
    table = pd.DataFrame({"image_path": photos["image_path"], "emotion": photos["emotion"]})
    table[list(EMOTIONS)] = np.random.default_rng(2).dirichlet(np.ones(len(EMOTIONS)), len(table))
    (base / "models" / "crossval").mkdir()
    table.to_csv(base / "models" / "crossval" / "oof.csv", index=False, float_format="%.6f")
