"""`import fercomp`: at once, with all its names; and what the pages show of it runs."""

import ast
import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fercomp
from tests.drawn import draw_face, draw_group

PROJECT = Path(__file__).parents[1]
NOTEBOOK = PROJECT / "docs" / "quickstart.ipynb"


def python(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, cwd=PROJECT
    )


def test_import_takes_nothing_with_it():
    """But modules of Python itself: no numpy, which alone takes a tenth of a second."""
    done = python("import sys; old = set(sys.modules); import fercomp; print(*set(sys.modules) - old)")
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.split()
    assert {name for name in loaded if name.startswith("fercomp")} == {
        "fercomp",
        "fercomp.core",
        "fercomp.core.version",
    }
    foreign = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names
    assert foreign == {"fercomp"}


def test_every_public_name_is_there_and_type_checkers_see_the_same():
    assert set(fercomp.__all__) == {*fercomp._PLACES, "__version__"}
    assert set(fercomp.__all__) <= set(dir(fercomp))
    for name, place in fercomp._PLACES.items():
        assert getattr(fercomp, name) is getattr(import_module(place), name)
    tree = ast.parse(Path(fercomp.__file__).read_text(encoding="utf-8"))
    (block, *_) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {name.name: node.module for node in block.body for name in node.names}
    assert seen == fercomp._PLACES
    assert (PROJECT / "fercomp" / "py.typed").is_file()


def test_a_misspelt_name_is_no_attribute():
    with pytest.raises(AttributeError, match="module 'fercomp' has no attribute 'laod'"):
        _ = fercomp.laod
    with pytest.raises(ImportError, match="cannot import name 'Face'"):
        from fercomp import Face  # noqa: F401


@pytest.mark.parametrize("name", ["load", "draw", "Model", "FaceEmotionsModel", "FrameWithEmotion"])
def test_without_opencv_one_line_says_what_to_install(name):
    done = python(f"import sys; sys.modules['cv2'] = None; import fercomp; fercomp.{name}")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(
        f"fercomp.core.errors.FercompError: fercomp.{name} needs OpenCV, which cannot be loaded"
    )
    assert last.endswith('pip install "opencv-python-headless>=4.12,<5"')


def test_without_opencv_pictures_can_be_read():
    code = """
import sys
sys.modules["cv2"] = None
import fercomp
print(fercomp.EMOTIONS[0], fercomp.Faces.__name__, fercomp.read_image("docs/demo.jpg").dtype)
"""
    assert python(code).stdout.split() == ["anger", "Faces", "uint8"]


def blocks(page):
    """Returns the blocks of Python on a page."""
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


PAGES = [page for page in sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")]) if blocks(page)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the files that the pages speak of, as the current one."""
    rng = np.random.default_rng(3)
    Image.fromarray(draw_group(["happy", "sad", "neutral"], rng, 640, 400)).save(tmp_path / "party.jpg")
    for name in ("anna.png", "ben.png"):
        Image.fromarray(draw_face("happy", rng, 96)).save(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_on_a_page_runs(page, folder):
    names = {}
    for block in blocks(page):
        exec(block, names)  # noqa: S102


def test_the_page_about_python_has_python():
    assert PROJECT / "docs" / "how-to" / "python.md" in PAGES


def test_the_notebook_is_one_and_runs(folder):
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    cells = notebook["cells"]
    ids = [cell["id"] for cell in cells]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", each) for each in ids)
    names = {}
    for cell in cells:
        assert cell["metadata"] == {}
        if cell["cell_type"] == "markdown":
            assert set(cell) == {"cell_type", "id", "metadata", "source"}
            continue
        assert set(cell) == {"cell_type", "execution_count", "id", "metadata", "outputs", "source"}
        assert cell["execution_count"] is None
        assert cell["outputs"] == [], "stored without outputs: they would go stale, and may show people"
        exec("".join(cell["source"]), names)  # noqa: S102
    assert len(names["faces"]) > 0
