import csv
from collections import Counter

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from fercomp.core.classes import EMOTIONS
from fercomp.data.competition_files import photos_on_disk, read_test, read_train
from fercomp.demo import competition as demo
from fercomp.faces.yunet import YuNet
from tests import make_demo


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def rows(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "raw"
    demo.write_demo(folder)
    return folder


def test_the_files_are_those_of_the_competition(folder):
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.txt", "media", "sample_submission.csv", "test_kaggle", "train", "train.csv"
    ]  # fmt: skip
    train = rows(folder / "train.csv")
    assert train[:2] == [["", "image_path", "emotion"], ["0", "./train/anger/0.jpg", "anger"]]
    assert [row[0] for row in train[1:]] == [str(i) for i in range(540)]
    sample = rows(folder / "sample_submission.csv")
    assert sample[0] == ["image_path", "emotion"]
    assert sample[1:] == [[f"{i}.jpg", "neutral"] for i in range(180)]


def test_the_tables_and_the_photos_agree(folder):
    train, test = read_train(folder / "train.csv"), read_test(folder / "sample_submission.csv")
    assert Counter(train["emotion"]) == dict.fromkeys(EMOTIONS, 60)
    assert all(
        path == f"./train/{label}/{path.split('/')[-1]}" for path, label in train.itertuples(index=False)
    )
    named = {path.removeprefix("./") for path in train["image_path"]} | set(test["image_path"])
    assert named == set(photos_on_disk(folder))
    with Image.open(folder / "train" / "sad" / "59.jpg") as photo:
        assert (photo.format, photo.mode, photo.size) == ("JPEG", "RGB", (96, 96))


def test_some_photos_are_brighter_copies_of_others(folder):
    paths = sorted((folder / "train").rglob("*.jpg"))
    thumbs = np.stack(
        [cv2.resize(cv2.imread(str(path), 0), (24, 24), interpolation=cv2.INTER_AREA) for path in paths]
    )
    flat = thumbs.reshape(len(paths), -1).astype(float)
    alike = np.triu(np.corrcoef(flat), 1) > 0.99
    assert 20 <= (alike.any(axis=0) | alike.any(axis=1)).sum() <= 60
    first, second = (np.array([path.parent.name for path in paths])[i] for i in np.nonzero(alike))
    assert 0 < (first != second).sum() < len(first), "some copies carry another label, some the same"


@pytest.mark.slow
def test_what_lies_in_the_package_is_what_is_drawn(tmp_path, folder):
    """By pixels: another version of a library may write other bytes."""
    make_demo.draw_demo(tmp_path)
    drawn, there = contents(tmp_path), contents(folder)
    assert sorted(drawn) == sorted(there)
    for name in drawn:
        if name.endswith(".jpg"):
            pixels = (np.asarray(Image.open(place / name), dtype=int) for place in (tmp_path, folder))
            assert np.abs(np.subtract(*pixels)).mean() < 2, f"{name}: python -m tests.make_demo"
        elif not name.endswith(".mp4"):
            assert drawn[name] == there[name], f"{name}: python -m tests.make_demo"


@pytest.mark.slow
def test_the_same_seed_writes_the_same_bytes_and_another_seed_others(tmp_path, monkeypatch):
    monkeypatch.setattr(make_demo, "TRAIN_PER_CLASS", 4)
    monkeypatch.setattr(make_demo, "TEST_PHOTOS", 5)
    monkeypatch.setattr(make_demo, "CLIP_FRAMES", 10)
    first, again, other = (tmp_path / name for name in ("first", "again", "other"))
    for folder, seed in ((first, 0), (again, 0), (other, 1)):
        make_demo.draw_demo(folder, seed)
    assert contents(first) == contents(again)
    same = {name for name, content in contents(first).items() if contents(other)[name] == content}
    assert same == {"README.txt", "train.csv", "sample_submission.csv"}


def test_the_pictures_are_called_drawn(folder):
    assert "drawn by fercomp" in (folder / "README.txt").read_text()


def test_the_clip_plays(folder):
    with av.open(str(folder / "media" / "clip.mp4")) as clip:
        stream = clip.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.average_rate, stream.width, stream.height) == (25, 640, 360)
        frames = [frame.to_ndarray(format="rgb24") for frame in clip.decode(stream)]
    assert len(frames) == 100
    assert np.abs(frames[0].astype(int) - frames[-1]).mean() > 1, "the faces move"


def test_the_media_show_one_to_five_people_and_nobody(folder):
    detector = YuNet()
    found = {
        path.stem: len(detector.detect(np.asarray(Image.open(path))))
        for path in sorted((folder / "media").glob("*.jpg"))
    }
    assert found == {"nobody": 0, **{f"people_{count}": count for count in range(1, 6)}}
