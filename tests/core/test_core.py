"""The small modules of core: classes, errors, paths, progress."""

import subprocess
import sys
from pathlib import Path

from fercomp.core.classes import EMOTIONS, UNCERTAIN
from fercomp.core.errors import unknown_name
from fercomp.core.paths import Workspace
from fercomp.core.progress import count, track


def test_classes_are_the_nine_in_alphabetical_order():
    assert len(EMOTIONS) == 9
    assert list(EMOTIONS) == sorted(set(EMOTIONS))
    assert UNCERTAIN in EMOTIONS


def test_unknown_name_offers_near_matches_or_everything():
    assert str(unknown_name("backbone", "ResNet5O", ["resnet50", "vgg16"])) == (
        "unknown backbone 'ResNet5O': did you mean resnet50?"
    )
    assert str(unknown_name("backbone", "zzz", ["vgg16", "resnet50"])) == (
        "unknown backbone 'zzz': known: resnet50, vgg16"
    )


def test_everything_a_workspace_holds_is_under_its_root():
    workspace = Workspace(Path("somewhere"))
    paths = [value for name in vars(Workspace) if isinstance(value := getattr(workspace, name), Path)]
    paths += [workspace.bundle("a"), workspace.submission("a")]
    assert len(paths) > 5
    assert all(path.is_relative_to("somewhere") for path in paths)


def test_progress_hands_on_every_item_and_is_silent_without_a_terminal(capsys):
    assert list(track(iter("abc"), "reading", "letter", total=3)) == ["a", "b", "c"]
    assert capsys.readouterr() == ("", "")


def test_core_is_quick_to_import():
    script = (
        "import sys, fercomp.core.errors, fercomp.core.files, fercomp.core.tables, fercomp.core.progress\n"
        "print(*{'numpy', 'pandas', 'pydantic', 'tqdm', 'cv2', 'keras'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_numbers_agree_with_what_they_count():
    assert [count(n, "photo") for n in (0, 1, 2, 2000)] == ["0 photos", "1 photo", "2 photos", "2,000 photos"]
