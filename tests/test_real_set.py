"""The drawn set of the real competition's size: what of it can be seen in a few photos."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fercomp.data.competition_files import photos_on_disk


@pytest.fixture(scope="module")
def real_set():
    file = Path(__file__).parents[1] / "benchmarks" / "real_set.py"
    spec = importlib.util.spec_from_file_location("real_set", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_share_has_its_share_of_everything(real_set):
    labelled, test = real_set.photos(1.0)
    assert (len(labelled), len(test)) == (50_046, 5_000)
    assert len({photo.number for photo in labelled + test}) == 55_046
    some, few = real_set.photos(0.01)
    assert set(some) <= set(labelled)
    assert set(few) <= set(test)
    assert sum(photo.emotion == "contempt" for photo in some) == 31


def test_photos_depend_on_seed_and_number_alone(real_set, tmp_path):
    some = real_set.photos(0.0004)[0][:6]
    for folder, order in (("a", some), ("b", some[::-1])):
        for photo in order:
            (tmp_path / folder / photo.path).parent.mkdir(parents=True, exist_ok=True)
            real_set.draw(tmp_path / folder, 3, photo)
    paths = photos_on_disk(tmp_path / "a")
    assert len(paths) == 6
    for path in paths:
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()
        with Image.open(tmp_path / "a" / path) as image:
            assert image.size[0] == image.size[1] >= 133
            assert np.asarray(image).std(axis=2).mean() > 3  # in colour
