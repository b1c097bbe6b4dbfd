"""What Tab offers, asked as a shell asks: by variables of the environment."""

import os
import subprocess
import sys

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


def offered(*words: str) -> list[str]:
    """What bash would offer for the last word, by a process that imports nothing heavy."""
    asked = {"_FERCOMP_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(("fercomp", *words))}
    asked["COMP_CWORD"] = str(len(words))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr.strip() == ""
    return done.stdout.split()


def test_backbones_of_all_families():
    assert offered("train", "--backbone", "dinov2_b") == ["dinov2_base"]
    assert offered("bench", "compact", "convnext_x") == ["convnext_xlarge"]


@pytest.mark.parametrize("command", ["predict", "robustness"])
def test_models_that_are_there(workspace, command):
    assert offered(command, "--model", "") == ["tiny", "shipped", "shipped-large"]


def test_only_models_that_can_be_scored(workspace):
    assert offered("evaluate", "-m", "") == ["tiny"]


def test_detectors():
    assert offered("annotate", "photos", "--detector", "haar_alt") == [
        "haar_alt",
        "haar_alt2",
        "haar_alt_tree",
    ]
    assert DETECTOR_NAMES == DETECTORS
