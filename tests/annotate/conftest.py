from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fercomp.core.classes import EMOTIONS
from fercomp.data.drawn import draw_face
from fercomp.modeling.bundle import Bundle, load_bundle


@pytest.fixture(scope="session")
def bundle(tiny_bundle_folder: Path) -> Bundle:
    return load_bundle(tiny_bundle_folder)


@pytest.fixture(scope="session")
def faces() -> list[np.ndarray]:
    """One drawn face of 96 pixels for each emotion."""
    rng = np.random.default_rng(1)
    return [draw_face(emotion, rng, 96) for emotion in EMOTIONS]


@pytest.fixture
def photos(tmp_path: Path, faces: list[np.ndarray]) -> Path:
    """A folder of six photos: faces in several formats and sub-folders, one landscape, names that meet."""
    folder = tmp_path / "photos"
    (folder / "a" / "deep").mkdir(parents=True)
    (folder / "b").mkdir()
    two = np.full((200, 400, 3), 190, dtype=np.uint8)
    two[50:146, 40:136] = faces[0]
    two[60:156, 240:336] = faces[4]
    pictures = {
        "a/deep/face.png": faces[2],
        "a/face.jpg": faces[0],
        "b/face.jpg": faces[1],
        "landscape.png": np.full((80, 120, 3), 120, dtype=np.uint8),
        "two.webp": two,
        "ünïcode, name.jpg": faces[3],
    }
    for name, picture in pictures.items():
        Image.fromarray(picture).save(folder / name)
    return folder
