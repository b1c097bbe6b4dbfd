"""The index of a small competition with every kind of trouble in it."""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fercomp.core.classes import EMOTIONS
from fercomp.core.csv_checks import path_in_raw
from fercomp.core.errors import FercompError
from fercomp.core.params import PrepareParams
from fercomp.core.tables import PHOTOS, PROBLEMS
from fercomp.data.recompressed import Contradictions
from fercomp.stages.prepare import prepare

PARAMS = PrepareParams()


def save(path: Path, seed: int, **options) -> Path:
    """Writes a coarse random picture, unlike that of any other seed."""
    noise = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(noise).resize((40, 30), Image.Resampling.BICUBIC).save(path, **options)
    return path


def write_csvs(raw: Path, train: list[tuple[str, str]], test: list[str]) -> None:
    pd.DataFrame(train, columns=["image_path", "emotion"]).to_csv(raw / "train.csv")
    sample = pd.DataFrame({"image_path": test, "emotion": "neutral"})
    sample.to_csv(raw / "sample_submission.csv", index=False)


@pytest.fixture
def raw(tmp_path) -> Path:
    """Ten photos of each of four classes and six test photos."""
    train = []
    for k, emotion in enumerate(EMOTIONS[:4]):
        for i in range(10):
            save(tmp_path / "train" / emotion / f"{i}.jpg", 100 * k + i)
            train.append((f"./train/{emotion}/{i}.jpg", emotion))
    test = [save(tmp_path / "test_kaggle" / f"{i}.jpg", 1000 + i).name for i in range(6)]
    write_csvs(tmp_path, train, test)
    return tmp_path


def add_rows(raw: Path, *rows: tuple[str, str]) -> None:
    table = pd.read_csv(raw / "train.csv", index_col=0)
    known = list(table.itertuples(index=False, name=None))
    pd.DataFrame([*known, *rows], columns=["image_path", "emotion"]).to_csv(raw / "train.csv")


def problems_of(raw: Path) -> set[tuple[str, ...]]:
    prepared = prepare(raw, PARAMS)
    assert list(prepared.problems) == list(PROBLEMS.columns)
    return set(prepared.problems.itertuples(index=False, name=None))


def test_the_index(raw):
    prepared = prepare(raw, PARAMS)
    photos = prepared.photos
    assert list(photos) == list(PHOTOS.columns)
    assert len(photos) == 46
    assert prepared.problems.empty
    first = photos.iloc[0]
    data = (raw / "train/anger/0.jpg").read_bytes()
    assert (first["image_path"], first["emotion"]) == ("train/anger/0.jpg", "anger")
    assert (first["width"], first["height"]) == (40, 30)
    assert first["sha1"] == hashlib.sha1(data, usedforsecurity=False).hexdigest()
    assert len(first["phash"]) == 16
    assert photos["duplicate_group"].is_unique
    test = photos[photos["split"] == "test"]
    assert test["image_path"].tolist() == [f"test_kaggle/{i}.jpg" for i in range(6)]
    assert set(test["emotion"]) == {""}
    assert set(test["fold"]) == {-1}


def test_holdout_and_folds_are_stratified(raw):
    photos = prepare(raw, PrepareParams(holdout=0.2)).photos
    labelled = photos[photos["split"] != "test"]
    assert (labelled[labelled["split"] == "holdout"]["emotion"].value_counts() == 2).all()
    for split, most in (("train", 2), ("holdout", 1)):
        part = labelled[labelled["split"] == split]
        counts = pd.crosstab(part["emotion"], part["fold"])
        assert counts.shape == (4, 5)
        assert counts.to_numpy().max() == most
        assert counts.to_numpy().min() == most - 1


def test_the_same_seed_gives_the_same_tables(raw):
    one, same, other = (prepare(raw, PrepareParams(seed=seed)).photos for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same)
    assert (one["fold"] != other["fold"]).any()


def test_tables_survive_writing_and_reading(raw, tmp_path):
    (raw / "train/anger/0.jpg").write_bytes(b"")
    prepared = prepare(raw, PARAMS)
    for table, frame in ((PHOTOS, prepared.photos), (PROBLEMS, prepared.problems)):
        table.write(frame, tmp_path / "table.csv")
        again = table.read(tmp_path / "table.csv")
        pd.testing.assert_frame_equal(again, frame.reset_index(drop=True), check_dtype=False)


def test_copies_share_a_group_and_a_fold_across_classes_and_test(raw):
    original = Image.open(raw / "train/anger/3.jpg")
    brighter = original.point(lambda value: min(255, int(value * 1.1) + 5))
    brighter.save(raw / "train/fear/3.jpg", quality=60)
    original.save(raw / "train/disgust/7.jpg", quality=70)
    original.save(raw / "test_kaggle/2.jpg", quality=80)
    photos = prepare(raw, PARAMS).photos.set_index("image_path")
    copies = photos.loc[["train/anger/3.jpg", "train/fear/3.jpg", "train/disgust/7.jpg"]]
    assert copies[["duplicate_group", "fold", "split"]].drop_duplicates().shape[0] == 1
    assert photos.loc["test_kaggle/2.jpg", "duplicate_group"] == copies["duplicate_group"].iloc[0]
    assert photos.loc["test_kaggle/2.jpg", "split"] == "test"
    assert (photos["duplicate_group"] == copies["duplicate_group"].iloc[0]).sum() == 4


def test_later_copies_are_known_by_their_loss_and_stay_out_of_the_holdout(raw):
    for i in range(8):  # more than would all go to training by chance
        original = Image.open(raw / f"train/anger/{i}.jpg")
        original.point(lambda value: min(255, value + 9)).save(raw / f"train/fear/{i}.jpg", quality=40)
    Image.open(raw / "train/contempt/0.jpg").save(raw / "train/contempt/0.png")
    (raw / "train/disgust/0.jpg").write_bytes((raw / "train/disgust/1.jpg").read_bytes())
    add_rows(raw, ("train/contempt/0.png", "contempt"))
    params = PrepareParams(holdout=0.4, recompressed="ignore")
    photos = prepare(raw, params).photos.set_index("image_path")
    later = {f"train/fear/{i}.jpg" for i in range(8)}
    assert (
        photos.loc["train/contempt/0.png", "duplicate_group"]
        == photos.loc["train/contempt/0.jpg", "duplicate_group"]
    )
    assert set(photos.index[photos["recompressed"] == 1]) == later
    pictures = photos.loc[sorted(later), "duplicate_group"]
    assert set(photos[photos["duplicate_group"].isin(pictures)]["split"]) == {"train"}
    assert (photos["split"] == "holdout").sum() > 5


def test_a_holdout_there_is_even_if_all_photos_have_later_copies(raw):
    rows = []
    for photo in list((raw / "train").rglob("*.jpg")):
        Image.open(photo).save(photo.with_suffix(".jpeg"), quality=30)
        rows.append((str(photo.with_suffix(".jpeg").relative_to(raw)), photo.parent.name))
    add_rows(raw, *rows)
    photos = prepare(raw, PrepareParams(recompressed="ignore")).photos
    assert photos["recompressed"].sum() == 40
    assert (photos["split"] == "holdout").sum() >= 8


@pytest.fixture
def copied(tmp_path) -> Callable[[bool], Path]:
    """Writes 90 pictures with a copy of less quality, and 100 with a brighter copy of the same quality."""

    def write(contradicting: bool) -> Path:
        rows = []
        for i in range(190):
            label = EMOTIONS[i % 4]
            path = save(tmp_path / "train" / label / f"{i}.jpg", i, quality=90)
            copy, other = path.with_name(f"{i}-copy.jpg"), label
            if i < 90:
                Image.open(path).save(copy, quality=40)
                other = EMOTIONS[4] if contradicting else label
            else:
                Image.open(path).point(lambda value: min(255, value + 20)).save(copy, quality=90)
                other = EMOTIONS[(i + i % 2) % 4]  # every other natural copy has another label
            rows += [(f"train/{label}/{path.name}", label), (f"train/{label}/{copy.name}", other)]
        write_csvs(tmp_path, rows, [save(tmp_path / "test_kaggle" / "0.jpg", 1000).name])
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("contradicting", "how", "ignored"),
    [(True, "auto", 90), (True, "count", 0), (False, "auto", 0), (False, "ignore", 90)],
)
def test_labels_of_recompressed_copies_count_unless_they_contradict(copied, contradicting, how, ignored):
    prepared = prepare(copied(contradicting), PrepareParams(recompressed=how))
    photos = prepared.photos
    assert prepared.contradictions == Contradictions(90 * contradicting, 90, 50, 100)
    assert (
        photos.loc[photos["recompressed"] == 1, "image_path"].tolist()
        == [path for path in photos["image_path"] if path.endswith("-copy.jpg")][: 90 if ignored else 0]
    )
    held_out = [Path(path).stem for path in photos.loc[photos["split"] == "holdout", "image_path"]]
    saved_twice = [name for name in held_out if int(name.removesuffix("-copy")) < 90]
    assert bool(saved_twice) == (not ignored)
    assert len(held_out) >= 30


def test_odd_files_are_used_rightly(raw):
    folder = raw / "train" / "anger"
    picture = Image.open(folder / "0.jpg")
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.convert("CMYK").save(folder / "1.jpg")
    picture.save(folder / "2.jpg", exif=exif)
    picture.convert("RGBA").save(folder / "3.jpg", format="PNG")
    grey = np.asarray(picture.convert("L")).astype(np.uint16)
    Image.fromarray(grey * 257).save(folder / "4.jpg", format="PNG")
    prepared = prepare(raw, PARAMS)
    assert prepared.problems.empty
    photos = prepared.photos.set_index("image_path")
    assert photos.loc["train/anger/2.jpg", ["width", "height"]].tolist() == [30, 40]
    alike = photos.loc[[f"train/anger/{i}.jpg" for i in (0, 1, 3, 4)], "duplicate_group"]
    assert alike.nunique() == 1


def test_unusable_files_are_listed_with_a_reason(raw):
    folder = raw / "train" / "anger"
    whole = (folder / "1.jpg").read_bytes()
    (folder / "0.jpg").write_bytes(b"")
    (folder / "1.jpg").write_bytes(whole[: whole.index(b"\xff\xda") + 14])
    (folder / "2.jpg").write_text("<html>not found</html>")
    Image.new("RGB", (1, 1)).save(folder / "3.jpg")
    Image.new("1", (12_000, 12_000)).save(folder / "4.jpg", format="PNG")
    (folder / "5.jpg").unlink()
    (folder / "6.jpg").unlink()
    (folder / "6.jpg").mkdir()
    (raw / "test_kaggle" / "4.jpg").write_bytes(b"\xff\xd8\xff")
    reasons = ["empty", "truncated", "not_an_image", "too_small", "too_large", "missing", "not_a_file"]
    expected = {(f"train/anger/{i}.jpg", "train", "anger", reason) for i, reason in enumerate(reasons)} | {
        ("test_kaggle/4.jpg", "test", "", "not_an_image")
    }
    assert problems_of(raw) == expected
    assert len(prepare(raw, PARAMS).photos) == 46 - len(expected)


def test_a_photo_that_lacks_its_end_is_used_and_noted(raw):
    folder = raw / "train" / "anger"
    for path, lost in ((folder / "0.jpg", 2), (raw / "test_kaggle" / "1.jpg", 2)):
        path.write_bytes(path.read_bytes()[:-lost])
    # Of these, next to nothing came: a label would be about grey, but a test photo has to be answered.
    for path in (folder / "1.jpg", raw / "test_kaggle" / "2.jpg"):
        noise = np.random.default_rng(0).integers(0, 256, (200, 40, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 4])
    assert problems_of(raw) == {
        ("train/anger/0.jpg", "train", "anger", "truncated_used"),
        ("train/anger/1.jpg", "train", "anger", "truncated"),
        ("test_kaggle/1.jpg", "test", "", "truncated_used"),
        ("test_kaggle/2.jpg", "test", "", "truncated_used"),
    }
    photos = set(prepare(raw, PARAMS).photos["image_path"])
    assert {"train/anger/0.jpg", "test_kaggle/1.jpg", "test_kaggle/2.jpg"} < photos
    assert "train/anger/1.jpg" not in photos


def test_links_lead_out_at_the_top_only(raw, tmp_path_factory):
    """A disk for photos is linked at the top; what else a table could name through a link is not ours."""
    disk, other = tmp_path_factory.mktemp("disk"), tmp_path_factory.mktemp("other")
    (raw / "train").rename(disk / "train")
    (raw / "train").symlink_to(disk / "train")
    shutil.copyfile(raw / "train" / "anger" / "0.jpg", other / "secret.jpg")
    (raw / "train" / "file.jpg").symlink_to(other / "secret.jpg")
    (raw / "train" / "folder").symlink_to(other)
    (raw / "train" / "inside.jpg").symlink_to(raw / "train" / "anger" / "1.jpg")
    (raw / "train" / "chain.jpg").symlink_to(raw / "train" / "file.jpg")
    (raw / "train" / "loop.jpg").symlink_to(raw / "train" / "loop.jpg")
    before = len(prepare(raw, PARAMS).photos)
    names = ("file.jpg", "folder/secret.jpg", "inside.jpg", "chain.jpg", "loop.jpg")
    add_rows(raw, *((f"train/{name}", "anger") for name in names))
    prepared = prepare(raw, PARAMS)
    assert len(prepared.photos) == before + 1
    outside = prepared.problems[prepared.problems["reason"] == "outside_raw"]
    assert sorted(outside["image_path"]) == ["train/chain.jpg", "train/file.jpg", "train/folder/secret.jpg"]
    looped = prepared.problems[prepared.problems["image_path"] == "train/loop.jpg"]
    assert "unreadable" in set(looped["reason"])


def test_rows_that_name_nothing_new(raw):
    add_rows(
        raw,
        ("train/anger/0.jpg", "anger"),
        ("train\\anger\\1.jpg", "fear"),
        ("../secret.jpg", "anger"),
        ("/etc/passwd", "anger"),
        ("C:\\train\\0.jpg", "anger"),
        ("train/../../x.jpg", "anger"),
        ("", "anger"),
    )
    assert problems_of(raw) == {
        ("train/anger/0.jpg", "train", "anger", "listed_twice"),
        ("train/anger/1.jpg", "train", "fear", "listed_with_other_label"),
        ("../secret.jpg", "train", "anger", "outside_raw"),
        ("/etc/passwd", "train", "anger", "outside_raw"),
        ("C:\\train\\0.jpg", "train", "anger", "outside_raw"),
        ("train/../../x.jpg", "train", "anger", "outside_raw"),
        (".", "train", "anger", "not_a_file"),
    }


def test_photos_that_no_table_names(raw):
    save(raw / "train" / "anger" / "99.jpg", 99)
    save(raw / "train" / "boredom" / "0.PNG", 98)
    save(raw / "test_kaggle" / "77.jpg", 97)
    (raw / "train" / "anger" / "notes.txt").write_text("no photo")
    save(raw / "media" / "people.jpg", 96)
    latin1 = os.fsdecode(b"caf\xe9.jpg")
    save(raw / "train" / "anger" / "x.jpg", 95).rename(raw / "train" / "anger" / latin1)
    names = ["train/anger/99.jpg", "train/boredom/0.PNG", "test_kaggle/77.jpg", "train/anger/caf\\xe9.jpg"]
    assert problems_of(raw) == {(name, "", "", "not_listed") for name in names}


def test_a_class_with_fewer_photos_than_folds(raw):
    save(raw / "train" / "sad" / "0.jpg", 900)
    add_rows(raw, ("./train/sad/0.jpg", "sad"))
    photos = prepare(raw, PrepareParams(folds=20)).photos
    assert (photos["emotion"] == "sad").sum() == 1
    assert photos.loc[photos["emotion"] == "sad", "split"].tolist() == ["train"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("train.csv", None, "train.csv not found.*fercomp fetch"),
        ("sample_submission.csv", None, "sample_submission.csv not found.*fercomp fetch"),
        ("train.csv", "", "train.csv is not a CSV table"),
        ("train.csv", ",image_path,emotion\n", "train.csv has no rows"),
        ("sample_submission.csv", "image_path,emotion\n", "sample_submission.csv has no rows"),
        ("train.csv", "path,label\na.jpg,anger\n", r"lacks the columns \['image_path', 'emotion'\]"),
        (
            "train.csv",
            "image_path,emotion\na.jpg,anger\nb.jpg,hapy\n",
            "train.csv, line 3: 'hapy'.*mean happy",
        ),
        ("train.csv", "image_path,emotion\na.jpg\n", "line 2: ''"),
        (
            "train.csv",
            "image_path,emotion\nno.jpg,anger\n../x.jpg,sad\n",
            "1 outside_raw, 1 missing|1 missing, 1",
        ),
        (
            "sample_submission.csv",
            "image_path,emotion\nno,neutral\nnot there,neutral\n",
            r"no photo named in .*sample_submission\.csv can be used \(2 missing\): look at fetch\.layout",
        ),
    ],
)
def test_tables_that_cannot_be_used(raw, name, text, message):
    if text is None:
        (raw / name).unlink()
    else:
        (raw / name).write_text(text)
    with pytest.raises(FercompError, match=message) as caught:
        prepare(raw, PARAMS)
    assert "\n" not in str(caught.value)


def test_all_photos_missing_is_one_error(raw):
    write_csvs(raw, [(f"train/anger/{i}.png", "anger") for i in range(50)], ["0.jpg"])
    with pytest.raises(FercompError, match=r"no photo named in .*train.csv can be used \(50 missing\)"):
        prepare(raw, PARAMS)


def test_ctrl_c_stops_at_once(raw, monkeypatch):
    seen = []

    def interrupted(path: Path):
        seen.append(path)
        raise KeyboardInterrupt

    monkeypatch.setattr("fercomp.stages.prepare._photo", interrupted)
    monkeypatch.setattr("fercomp.stages.prepare._BATCH", 1)
    with pytest.raises(KeyboardInterrupt):
        prepare(raw, PARAMS)
    assert len(seen) < 46


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("./train/anger/0.jpg", "train/anger/0.jpg"),
        ("train//anger/./0.jpg", "train/anger/0.jpg"),
        (".\\train\\anger\\0.jpg", "train/anger/0.jpg"),
        ("train/x/../anger/0.jpg", "train/anger/0.jpg"),
        ("..jpg", "..jpg"),
        ("..", None),
        ("../0.jpg", None),
        ("a/../../0.jpg", None),
        ("/0.jpg", None),
        ("//host/0.jpg", None),
        ("\\\\host\\0.jpg", None),
        ("c:/0.jpg", None),
        ("c:0.jpg", None),
    ],
)
def test_path_in_raw(name, expected):
    assert path_in_raw(name) == expected


@given(st.text(alphabet="ab./\\: \0é", max_size=30) | st.text(max_size=30))
def test_no_path_leads_out_of_raw(name):
    path = path_in_raw(name)
    if path is not None:
        assert not path.startswith("/")
        assert ".." not in path.split("/")
        assert path_in_raw(path) == path
