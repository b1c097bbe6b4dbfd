"""What Tab offers, asked as a shell asks: by variables of the environment."""

import os
from pathlib import Path

import pytest

from fercomp.cli.completion import DETECTOR_NAMES
from fercomp.faces.detect import DETECTORS

SCRIPT = """
import sys
from fercomp.cli.app import main
try:
    main()
finally:
    heavy = ("tensorflow", "keras", "cv2", "pandas", "openvino")
    print(*(name for name in heavy if name in sys.modules), file=sys.stderr)
"""


@pytest.fixture
def offered(forks):
    """What bash would offer for the last word, by a process that imports nothing heavy."""

    def ask(*words: str) -> list[str]:
        asked = {"_FERCOMP_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(("fercomp", *words))}
        asked["COMP_CWORD"] = str(len(words))
        done = forks.run(SCRIPT, cwd=Path.cwd(), env={**os.environ, **asked})
        assert done.stderr.strip() == ""
        return done.stdout.split()

    return ask


def test_backbones_of_all_families(offered):
    assert offered("train", "--backbone", "dinov2_b") == ["dinov2_base"]
    assert offered("bench", "compact", "convnext_x") == ["convnext_xlarge"]


@pytest.mark.parametrize("command", ["predict", "robustness"])
def test_models_that_are_there(offered, workspace, command):
    assert offered(command, "--model", "") == ["tiny", "shipped", "shipped-large"]


@pytest.mark.parametrize("words", [("models",), ("distill", "tiny"), ("refit",), ("ensemble", "new", "tiny")])
def test_models_that_are_named_without_an_option(offered, workspace, words):
    assert offered(*words, "ti") == ["tiny"]
    came_along = ["shipped", "shipped-large"] if words[0] in ("models", "distill") else []
    assert offered(*words, "sh") == came_along


def test_only_models_that_can_be_scored(offered, workspace):
    assert offered("evaluate", "-m", "") == ["tiny"]


def test_detectors(offered):
    assert offered("annotate", "photos", "--detector", "haar_alt") == [
        "haar_alt",
        "haar_alt2",
        "haar_alt_tree",
    ]
    assert DETECTOR_NAMES == DETECTORS
