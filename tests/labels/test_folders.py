import pandas as pd
import pytest

from fercomp.core.errors import FercompError
from fercomp.labels.folders import export_folders


@pytest.fixture
def raw(tmp_path):
    raw = tmp_path / "raw"
    for name in ("train/sad/1.jpg", "train/sad/2.jpg", "train/happy/1.jpg", "a_b/c.jpg", "a/b_c.jpg"):
        (raw / name).parent.mkdir(parents=True, exist_ok=True)
        (raw / name).write_bytes(name.encode())
    return raw


@pytest.fixture
def labels():
    return pd.DataFrame(
        {
            "image_path": [
                "train/sad/1.jpg",
                "train/sad/2.jpg",
                "train/happy/1.jpg",
                "a_b/c.jpg",
                "a/b_c.jpg",
            ],
            "emotion": ["sad", "sad", "happy", "fear", "fear"],
            "suggested": ["happy", "", "happy", "fear", "fear"],
        }
    )


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


EXPECTED = [
    "fear/a_b_c-2.jpg",
    "fear/a_b_c.jpg",
    "happy/train_happy_1.jpg",
    "happy/train_sad_1.jpg",
    "photos.csv",
]


def test_photos_are_linked_under_their_label_and_dropped_ones_left_out(raw, labels, tmp_path):
    target = tmp_path / "new" / "sorted"
    assert export_folders(labels, raw, target) == 4
    assert files(target) == EXPECTED
    assert (target / "happy/train_sad_1.jpg").samefile(raw / "train/sad/1.jpg")
    assert (target / "fear/a_b_c-2.jpg").read_text() == "a/b_c.jpg"
    table = pd.read_csv(target / "photos.csv")
    assert table.columns.tolist() == ["file", "image_path", "emotion", "label"]
    assert table.iloc[0].tolist() == ["happy/train_sad_1.jpg", "train/sad/1.jpg", "sad", "happy"]


def test_where_links_cannot_be_had_photos_are_copied(raw, labels, tmp_path, monkeypatch):
    def another_disk(source, target):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", another_disk)
    export_folders(labels, raw, tmp_path / "sorted")
    copy = tmp_path / "sorted/happy/train_sad_1.jpg"
    assert copy.read_text() == "train/sad/1.jpg"
    assert not copy.samefile(raw / "train/sad/1.jpg")


def test_an_export_is_replaced_by_the_next(raw, labels, tmp_path):
    target = tmp_path / "sorted"
    export_folders(labels, raw, target)
    labels.loc[0, "suggested"] = "anger"
    export_folders(labels, raw, target)
    assert "anger/train_sad_1.jpg" in files(target)
    assert "happy/train_sad_1.jpg" not in files(target)


@pytest.mark.parametrize("change", ["moved", "added", "removed"])
def test_what_was_sorted_by_hand_is_not_replaced(raw, labels, tmp_path, change):
    target = tmp_path / "sorted"
    export_folders(labels, raw, target)
    photo = target / "happy/train_sad_1.jpg"
    if change == "moved":
        photo.rename(target / "fear/train_sad_1.jpg")
    elif change == "added":
        (target / "notes.txt").write_text("mine")
    else:
        photo.unlink()
    before = files(target)
    with pytest.raises(
        FercompError, match=r"is not as an export leaves it: \d files? added, moved or removed"
    ):
        export_folders(labels, raw, target)
    assert files(target) == before


def test_a_foreign_folder_is_refused(raw, labels, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/photos.csv").write_text("image_path,split\n")
    for target in (tmp_path / "mine", tmp_path):
        before = files(target)
        with pytest.raises(FercompError, match="name a folder that"):
            export_folders(labels, raw, target)
        assert files(target) == before


def test_raw_data_stay_as_they_are(raw, labels, tmp_path):
    before = files(raw)
    for target in (raw, raw / "sorted"):
        with pytest.raises(FercompError, match="which is never changed"):
            export_folders(labels, raw, target)
    (raw / "train/sad/1.jpg").unlink()
    with pytest.raises(FercompError, match=r"train/sad/1\.jpg not found: run `fercomp fetch`"):
        export_folders(labels, raw, tmp_path / "sorted")
    assert not (tmp_path / "sorted").exists()
    assert files(raw) == [name for name in before if name != "train/sad/1.jpg"]
