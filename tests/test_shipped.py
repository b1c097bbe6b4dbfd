"""The model that comes with the package: small, complete, and described by true figures."""

import re

import numpy as np
import pandas as pd

from fercomp.cli.app import main
from fercomp.core.classes import EMOTIONS
from fercomp.modeling.bundle import load_bundle
from fercomp.modeling.card import SHIPPED, read_card

LARGEST = 12e6


def test_it_is_complete_and_small():
    files = [path for path in SHIPPED.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= LARGEST
    names = {path.relative_to(SHIPPED).as_posix() for path in files}
    assert names == {"README.md", "card.json", "graph/graph.xml", "graph/graph.bin"}
    card = read_card(SHIPPED)
    assert (card.name, card.classes, card.runtime) == ("shipped", EMOTIONS, "openvino")


def test_its_card_says_where_it_is_from():
    card = read_card(SHIPPED)
    assert {"params", "data_sha256", "packages", "photos"} <= set(card.trained)
    assert card.scores["n"] > 3000
    assert 0.5 < card.scores["accuracy"] < 0.76


def test_its_readme_quotes_the_card():
    card, text = read_card(SHIPPED), (SHIPPED / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (accuracy|macro-F1|calibration error) \| ([0-9.]+) \|$", text, re.M))
    assert {name: float(value) for name, value in rows.items()} == {
        "accuracy": round(card.scores["accuracy"], 4),
        "macro-F1": round(card.scores["macro_f1"], 4),
        "calibration error": round(card.scores["calibration_error"], 4),
    }
    for part in ("must not be used", "fercomp train", "fercomp export", "Limits"):
        assert part in text


def test_it_answers_alike_for_mirrored_faces():
    bundle = load_bundle(SHIPPED)
    size = bundle.card.size
    faces = np.random.default_rng(0).integers(0, 256, (5, size, size, 3), dtype=np.uint8)
    probabilities = bundle.predict(faces)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(bundle.predict(faces[:, :, ::-1]), probabilities, atol=1e-5)


def test_it_writes_a_submission_without_training(workspace, monkeypatch):
    for command in ("predict", "submission"):
        monkeypatch.setattr("sys.argv", ["fercomp", command, "--model", "shipped"])
        try:
            main()
        except SystemExit as end:
            assert not end.code
    lines = pd.read_csv("submissions/shipped.csv")
    assert len(lines) == 20
    assert set(lines["emotion"]) <= set(EMOTIONS)
