"""Class folders in which somebody has moved photos come back as decisions."""

import hashlib
import os

import pandas as pd
import pytest

from fercomp.core.errors import FercompError
from fercomp.labels.folders import export_folders
from fercomp.labels.journal import Journal, Verdict, read_decisions
from fercomp.labels.sorted_folders import import_folders

GIVEN = {"a.jpg": "sad", "b.jpg": "happy", "c.jpg": "fear", "copy-of-c.jpg": "fear", "held.jpg": "sad"}


@pytest.fixture
def photos(tmp_path):
    """The index of five labelled photos, two of them the same file, and of one of the test."""
    rows = []
    for name, emotion in [*GIVEN.items(), ("test.jpg", "")]:
        data = name.removeprefix("copy-of-").encode()
        path = tmp_path / "raw" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        split = {"test.jpg": "test", "held.jpg": "holdout"}.get(name, "train")
        rows.append((name, split, emotion, hashlib.sha1(data, usedforsecurity=False).hexdigest()))
    return pd.DataFrame(rows, columns=["image_path", "split", "emotion", "sha1"])


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "review.jsonl"


@pytest.fixture
def export(tmp_path, photos):
    """An export of all labelled photos: `a` is suggested to be happy, the others what they are given as."""
    labels = photos[photos["split"] != "test"].assign(suggested=lambda table: table["emotion"])
    labels.loc[0, "suggested"] = "happy"
    export_folders(labels, tmp_path / "raw", tmp_path / "sorted")
    return tmp_path / "sorted"


def decided(journal):
    return {path: label for (path, _), label in read_decisions(journal).items()}


def by_hand(folder, **files):
    for name, label in files.items():
        (folder / label).mkdir(parents=True, exist_ok=True)
        (folder / label / f"{name}.jpg").write_bytes(f"{name}.jpg".encode())


def test_what_was_moved_and_renamed_is_decided_and_the_rest_is_not(photos, journal, export):
    (export / "neutral").mkdir()
    (export / "happy/b.jpg").rename(export / "neutral/other name")
    told = import_folders(export, photos, journal)
    assert decided(journal) == {"b.jpg": "neutral"}
    assert told == [f"{export}: 5 photos in class folders, 1 moved; 1 decision written to {journal}"]


def test_a_second_time_changes_nothing_and_moving_back_is_moving(photos, journal, export):
    (export / "happy/b.jpg").rename(export / "sad/b.jpg")
    import_folders(export, photos, journal)
    before = journal.read_bytes(), (export / "photos.csv").read_bytes()
    told = import_folders(export, photos, journal)
    assert (journal.read_bytes(), (export / "photos.csv").read_bytes()) == before
    assert told == [f"{export}: 5 photos in class folders, 0 moved; 0 decisions written to {journal}"]
    (export / "sad/b.jpg").rename(export / "happy/b.jpg")
    import_folders(export, photos, journal)
    assert decided(journal) == {"b.jpg": "happy"}


def test_an_import_that_was_killed_before_its_list_was_written_is_done_again(photos, journal, export):
    old = (export / "photos.csv").read_bytes()
    (export / "happy/b.jpg").rename(export / "sad/b.jpg")
    import_folders(export, photos, journal)
    before = journal.read_bytes(), (export / "photos.csv").read_bytes()
    (export / "photos.csv").write_bytes(old)
    import_folders(export, photos, journal)
    assert (journal.read_bytes(), (export / "photos.csv").read_bytes()) == before


def test_the_next_export_may_take_the_place_of_what_was_imported(photos, journal, export, tmp_path):
    for name in ("c.jpg", "copy-of-c.jpg"):
        (export / "fear" / name).rename(export / "sad" / name)
    import_folders(export, photos, journal)
    assert decided(journal) == {"c.jpg": "sad", "copy-of-c.jpg": "sad"}
    labels = photos[photos["split"] != "test"].assign(suggested=lambda table: table["emotion"])
    assert export_folders(labels, tmp_path / "raw", export) == 5


def test_folders_that_are_no_export_are_compared_with_given_labels(photos, journal, tmp_path):
    by_hand(tmp_path / "mine", a="sad", b="surprise", c="disgust")
    told = import_folders(tmp_path / "mine", photos, journal)
    assert decided(journal) == {"b.jpg": "surprise", "c.jpg": "disgust", "copy-of-c.jpg": "disgust"}
    assert "4 photos in class folders, 3 moved; 3 decisions" in told[0]
    assert "1 not there: not decided" in told[1]
    assert import_folders(tmp_path / "mine", photos, journal)[0].endswith(
        f"; 0 decisions written to {journal}"
    )


def test_a_later_decision_of_the_review_outlives_a_photo_that_was_not_moved(photos, journal, export):
    with Journal(journal) as record:
        record.append([Verdict("b.jpg", photos.loc[1, "sha1"], "anger")])
    told = import_folders(export, photos, journal)
    assert decided(journal) == {"b.jpg": "anger"}
    assert told[1:] == ["  1 where it lay, but decided otherwise since: that decision stays (such as b.jpg)"]


def test_what_was_removed_is_dropped_only_if_asked_for(photos, journal, export):
    (export / "happy/b.jpg").unlink()
    told = import_folders(export, photos, journal)
    assert decided(journal) == {}
    assert told[1:] == ["  1 removed: not decided; --drop-removed drops them (such as b.jpg)"]
    import_folders(export, photos, journal, drop_removed=True)
    assert decided(journal) == {"b.jpg": "drop"}
    assert import_folders(export, photos, journal, drop_removed=True)[0].endswith(
        "0 decisions written to " + str(journal)
    )


def test_nothing_is_dropped_where_it_cannot_be_told_what_was_removed(photos, journal, export, tmp_path):
    by_hand(tmp_path / "mine", a="sad")
    with pytest.raises(FercompError, match=r"mine has no photos\.csv of an export"):
        import_folders(tmp_path / "mine", photos, journal, drop_removed=True)
    (export / "happy/b.jpg").unlink()
    (export / "happy/b.jpg").symlink_to("nowhere")
    with pytest.raises(FercompError, match=r"b\.jpg cannot be read, and may be what seems to be removed"):
        import_folders(export, photos, journal, drop_removed=True)
    assert not journal.exists()


def test_what_does_not_fit_is_counted_in_a_line_each(photos, journal, tmp_path):
    mine = tmp_path / "mine"
    by_hand(mine, a="sad", b="sad", held="fear", test="anger", strange="anger", c="later")
    (mine / "fear/again.jpg").write_bytes(b"b.jpg")
    (mine / "sad/.DS_Store").write_bytes(b"x")
    told = import_folders(mine, photos, journal)
    assert decided(journal) == {"held.jpg": "fear"}
    assert [line.strip() for line in told[1:]] == [
        "1 moved, of the holdout, which is scored against given labels all the same (such as held.jpg)",
        "1 in several class folders: not decided (such as b.jpg)",
        "1 in no class folder: not decided (such as later/c.jpg)",
        "1 of the test, which has no labels: passed over (such as anger/test.jpg)",
        "1 no photo of the index, by its bytes: passed over (such as anger/strange.jpg)",
    ]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda mine: (mine / "suprise").mkdir(), "suprise is named after no class: did you mean surprise"),
        (lambda mine: (mine / "Happy").mkdir(), "Happy is named after no class: did you mean happy"),
        (lambda mine: (mine / "later").mkdir(), "has no folder that is named after a class: anger, contempt"),
        (lambda mine: (mine / "sad").symlink_to(mine.parent), "sad is a link, a folder was expected"),
        (lambda mine: mine.rmdir(), "mine is no folder: name one that holds a folder per class"),
        (lambda mine: (mine / "photos.csv").write_text("a\n"), r"photos\.csv lacks the columns .*remove it"),
        (
            lambda mine: (mine / "photos.csv").write_text("file,image_path,emotion,label\na,a,sad,glad\n"),
            r"photos\.csv, line 2 has 'glad' as label",
        ),
    ],
    ids=range(7),
)
def test_folders_that_cannot_be_meant_are_one_line(photos, journal, tmp_path, make, message):
    mine = tmp_path / "mine"
    mine.mkdir()
    make(mine)
    with pytest.raises(FercompError, match=message):
        import_folders(mine, photos, journal)
    assert not journal.exists()


def test_photos_of_a_closed_folder_are_not_taken_for_removed(photos, journal, export, monkeypatch):
    scandir = os.scandir

    def closed(path):
        if str(path).endswith("happy"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(FercompError, match=r"cannot read all of .*Permission denied"):
        import_folders(export, photos, journal, drop_removed=True)
