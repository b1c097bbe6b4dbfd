"""CSV tables: what is written comes back, what is not such a table is told."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fercomp.annotate.records.rows import columns
from fercomp.core.classes import EMOTIONS
from fercomp.core.csv_table import FORMER_NAMES, Table, existing
from fercomp.core.errors import FercompError
from fercomp.core.tables import (
    AXES,
    LABELS,
    PHOTOS,
    PROBLEMS,
    ROBUSTNESS,
    TARGETS,
    UNCHANGED,
    holdout_table,
    oof_table,
    pred_probs,
    prediction_table,
    taken_names,
)
from fercomp.faces.found import Faces

CLASSES = ("one", "two")


def all_columns(classes):
    """The columns of every table that has one for each class of a model."""
    yield from holdout_table(classes, points=True).columns
    yield from prediction_table(classes, points=True).columns
    yield from oof_table(classes).columns
    yield from columns(classes)
    faces = Faces(
        boxes=np.zeros((1, 4), np.float32),
        scores=np.zeros(1, np.float32),
        landmarks=np.zeros((1, 5, 2), np.float32),
        tracks=np.zeros(1, np.int64),
        classes=classes,
        pred_probs=np.zeros((1, 2), np.float32),
        raw=np.zeros((1, 2), np.float32),
        emotions=(classes[0],),
        confidences=np.zeros(1, np.float32),
        valence_arousal=np.zeros((1, 2), np.float32),
    )
    yield from faces.to_frame().columns


def test_a_class_may_not_be_called_as_another_column():
    others = set(all_columns(CLASSES)) - set(CLASSES)
    assert len(others) > 25
    for name in others:
        assert taken_names((*CLASSES, name)) == [name]
    assert taken_names((*CLASSES, "raw_three", "raw_", "raw")) == []


TABLE = Table({"name": "str", "count": "int64", "share": "float64"}, "run `fercomp make`")


def test_read_gives_the_columns_of_the_table_in_its_order(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("share,more,name,count\n0.5,x,NA,3\n1,y,,4\n")
    frame = TABLE.read(path)
    assert list(frame.columns) == ["name", "count", "share"]
    assert frame["name"].tolist() == ["NA", ""]
    assert frame["count"].tolist() == [3, 4]
    assert frame["share"].tolist() == [0.5, 1.0]


@pytest.mark.parametrize("value", ["True", "true", "false", "0x1", "9" * 5_000])
@pytest.mark.parametrize("column", ["count", "share"])
def test_true_is_no_number_of_a_table(tmp_path, column, value):
    path = tmp_path / "a.csv"
    cells = {"name": "x", "count": "1", "share": "1", column: value}
    path.write_text("name,count,share\n" + ",".join(cells.values()) + "\n")
    with pytest.raises(FercompError, match=r"wrong type|has inf as share") as caught:
        TABLE.read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "former"), FORMER_NAMES.items())
def test_a_table_is_read_under_its_former_name_where_only_that_is_there(tmp_path, name, former):
    path, old = tmp_path / name, tmp_path / former
    with pytest.raises(FercompError, match=f"{name} not found"):
        TABLE.read(path)
    old.write_text("name,count,share\nold,1,0\n")
    assert existing(path) == old
    assert TABLE.read(path)["name"].tolist() == ["old"]
    path.write_text("name,count,share\nnew,1,0\n")
    assert existing(path) == path
    for nameless in (Path(), Path("/"), Path("..")):
        assert existing(nameless) == nameless
    assert TABLE.read(path)["name"].tolist() == ["new"]


def test_a_damaged_table_is_named_as_it_is_called(tmp_path):
    (tmp_path / "holdout.csv").write_text("name\n")
    with pytest.raises(FercompError, match=r"/holdout\.csv lacks the columns"):
        TABLE.read(tmp_path / "holdout_probs.csv")


def test_an_excel_byte_order_mark_is_no_part_of_a_name(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("name,count,share\na,1,0\n", encoding="utf-8-sig")
    assert TABLE.read(path)["name"].tolist() == ["a"]


def test_no_rows_is_a_table(tmp_path):
    path = tmp_path / "a.csv"
    TABLE.write(pd.DataFrame({"name": [], "count": [], "share": []}), path)
    assert len(TABLE.read(path)) == 0


def test_in_another_folder_it_asks_for_the_right_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FercompError, match=rf"make`, or `cd` to .*: {tmp_path} has no datasets/$"):
        TABLE.read(Path("datasets/a.csv"))
    Path("datasets").mkdir()
    with pytest.raises(FercompError, match=r"make`$"):
        TABLE.read(Path("datasets/a.csv"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "not found: run `fercomp make`"),
        (b"", "is not a CSV table"),
        (b"\xff\xd8\xff\xe0 a photo", "is not a CSV table"),
        (b'name,count,share\n"open,1,2\n', "is not a CSV table"),
        (b"name,count,share\na,1,2\nb,1,2,3\n", "is not a CSV table"),
        (b"name,count,share\na,1,2,3\n", "rows with more values than columns"),
        (b"name;count;share\na;1;2\n", r"lacks the columns \['name', 'count', 'share'\]; it has"),
        (b"name,count,share\na,1.5,2\n", "holds a value of the wrong type"),
        (b"name,count,share\na,,2\n", "holds a value of the wrong type"),
        (b"name,count,share\na\n", "holds a value of the wrong type"),
        (b"name,count,share\na,99999999999999999999,2\n", "holds a value of the wrong type"),
        (b"name,count,share\na,1,much\n", "holds a value of the wrong type"),
    ],
)
def test_what_is_not_such_a_table_is_told(tmp_path, content, words):
    path = tmp_path / "a.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FercompError, match=words) as caught:
        TABLE.read(path)
    assert "run `fercomp make`" in str(caught.value)
    assert str(path) in str(caught.value)


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])),
            st.integers(min_value=-(2**63), max_value=2**63 - 1),
            st.floats(min_value=0, max_value=1),
        ),
        max_size=5,
    )
)
def test_what_is_written_comes_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("tables") / "a.csv"
    TABLE.write(pd.DataFrame(rows, columns=["name", "count", "share"]), path)
    frame = TABLE.read(path)
    assert frame["name"].tolist() == [name for name, _, _ in rows]
    assert frame["count"].tolist() == [count for _, count, _ in rows]
    np.testing.assert_allclose(frame["share"], [share for _, _, share in rows], atol=5.1e-7)


@given(arrays(np.float64, (3, len(EMOTIONS)), elements=st.floats(min_value=0.01, max_value=1)))
def test_probabilities_come_back_in_class_order(tmp_path_factory, numbers):
    table, probabilities = holdout_table(EMOTIONS), numbers / numbers.sum(axis=1, keepdims=True)
    frame = pd.DataFrame(probabilities, columns=list(EMOTIONS)).iloc[:, ::-1]
    frame["image_path"], frame["emotion"] = ["a.jpg", "b.jpg", "c.jpg"], "fear"
    path = tmp_path_factory.mktemp("tables") / "test_probs.csv"
    table.write(frame, path)
    np.testing.assert_allclose(pred_probs(table.read(path)), probabilities, atol=5.1e-7)


def test_only_labelled_probabilities_have_an_emotion():
    assert "emotion" in holdout_table(EMOTIONS).columns
    assert "emotion" not in prediction_table(EMOTIONS).columns


def test_columns_cannot_be_changed_by_accident():
    with pytest.raises(TypeError):
        PROBLEMS.columns["reason"] = "int64"


def photos_frame():
    """Four rows as `prepare` writes them."""
    paths = ["train/0.jpg", "train/1 é.jpg", "train/a/2.jpg", "test_kaggle/0.jpg"]
    frame = pd.DataFrame({"image_path": paths, "split": ["train", "train", "holdout", "test"]})
    frame["emotion"] = ["happy", "sad", "uncertain", ""]
    frame["sha1"] = [f"{i:040x}" for i in range(4)]
    frame["fold"] = [0, 4, 1, -1]
    frame["duplicate_group"] = [0, 0, 2, 3]
    return frame.assign(width=48, height=96, phash="0123456789abcdef", recompressed=0)


def labels_frame():
    frame = photos_frame().iloc[:3].assign(suggested=["happy", "fear", ""], quality=[1, 0.2, 0.5])
    return frame.assign(reason=["", "network", "review"], **dict.fromkeys(EMOTIONS, 1 / 9))


def points_frame():
    frame = labels_frame().assign(valence=[-1, 0, 1], arousal=0.25)
    return frame.assign(valence_target=["nan", "0.5", "nan"], arousal_target=["nan", "-0.5", ""])


KINDS = {
    "photos": (PHOTOS, photos_frame),
    "labels": (LABELS, labels_frame),
    "holdout": (holdout_table(EMOTIONS, points=True), points_frame),
    "oof": (oof_table(EMOTIONS), labels_frame),
    "test": (prediction_table(EMOTIONS, points=True), points_frame),
}
PROBABILITIES = ("labels", "holdout", "oof", "test")
ODD_PATHS = ("/etc/passwd", "../a.jpg", "train/../../a.jpg", "C:/a.jpg", "C:a.jpg")
ODD_PATHS += ("a\\b.jpg", "./a.jpg", "a//b.jpg", "a/../b.jpg", "a/", "")  # not in the plain form
NO_NUMBERS = ("nan", "inf", "-inf", "1e999", "")

WRONG = [
    *((kind, "image_path", path, "not one inside datasets/raw") for kind in KINDS for path in ODD_PATHS),
    *((kind, "image_path", "train/1 é.jpg", "'train/1 é.jpg' a second time") for kind in KINDS),
    *(
        (kind, "fear", text, "number was expected|wrong type")
        for kind in PROBABILITIES
        for text in NO_NUMBERS
    ),
    *((kind, "fear", "-0.1", "not in 0 to 1") for kind in PROBABILITIES),
    *((kind, "fear", "1.1", "not in 0 to 1") for kind in PROBABILITIES),
    *((kind, "fear", "0.9", "whose sum is 1.78889, not 1") for kind in PROBABILITIES),
    *((kind, axis, "1.01", "-1 to 1 was expected") for kind in ("holdout", "test") for axis in AXES),
    *((kind, axis, "nan", "number was expected") for kind in ("holdout", "test") for axis in AXES),
    ("holdout", "valence_target", "2", "-1 to 1 was expected"),
    ("holdout", "valence_target", "inf", "number was expected"),
    *(("holdout", target, "0.5", "one of .*, both or none were expected") for target in TARGETS),
    ("photos", "split", "Train", "known are train, holdout, test"),
    ("photos", "emotion", "glad", "which no photo of train can have"),
    ("photos", "emotion", "", "which no photo of train can have"),
    ("photos", "fold", "-1", "which no photo of train can have"),
    ("photos", "width", "0", "width 0: 1 to"),
    ("photos", "height", "-5", "height -5: 1 to"),
    ("photos", "recompressed", "2", "0 to 1 was expected"),
    ("photos", "duplicate_group", "-1", "duplicate_group -1"),
    ("photos", "sha1", "abc", "40 hexadecimal digits was expected"),
    ("photos", "phash", "0123456789ABCDEF", "16 hexadecimal digits was expected"),
    ("labels", "emotion", "glad", "known are anger"),
    ("labels", "suggested", "glad", "or nothing|known are anger"),
    ("labels", "quality", "1.5", "0 to 1 was expected"),
    ("labels", "reason", "guess", "known are nothing, copies"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_each_table_reads_what_it_should(tmp_path, kind):
    table, frame = KINDS[kind]
    table.write(frame(), tmp_path / "a.csv")
    assert len(table.read(tmp_path / "a.csv")) == len(frame())


def test_a_missing_point_is_written_as_nan_or_as_nothing(tmp_path):
    table, frame = KINDS["holdout"]
    table.write(frame(), tmp_path / "a.csv")
    assert table.read(tmp_path / "a.csv")[list(TARGETS)].isna().all(axis=1).tolist() == [True, False, True]


@pytest.mark.parametrize(("kind", "column", "text", "words"), WRONG)
def test_a_value_that_cannot_be_is_told_with_its_line(tmp_path, kind, column, text, words):
    table, frame = KINDS[kind]
    texts = frame().astype("str")
    texts.loc[0, column] = text
    table.write(texts, tmp_path / "a.csv")
    with pytest.raises(FercompError, match=words) as caught:
        table.read(tmp_path / "a.csv")
    assert str(tmp_path / "a.csv") in str(caught.value)
    assert str(caught.value).endswith(table.remedy)
    if "wrong type" not in str(caught.value):
        assert ", line " in str(caught.value)


def test_a_column_that_stands_twice_is_told(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("name,count,share,count\na,1,0.5,2\n")
    with pytest.raises(FercompError, match=r"has the columns \['count'\] more than once"):
        TABLE.read(path)
    path.write_text("name,other,count,share,other\na,x,1,0.5,y\n")  # of no interest
    assert TABLE.read(path)["count"].tolist() == [1]


@pytest.mark.parametrize("kind", ["folder", "pipe", "link to nothing", "link to itself", "device"])
def test_what_is_no_file_is_told_and_not_waited_for(tmp_path, kind):
    path = tmp_path / "a.csv"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to({"device": "/dev/zero", "link to itself": path}.get(kind, tmp_path / "b.csv"))
    with pytest.raises(FercompError, match=r"a\.csv"):
        TABLE.read(path)


def robustness():
    rows = [(UNCHANGED, 0, 0.5), ("blur", 0.01, 0.4), ("blur", 0.02, 0.3), ("jpeg", 50, 0.5)]
    frame = pd.DataFrame(rows, columns=["change", "strength", "accuracy"]).assign(n=20, macro_f1=0.3)
    return frame.assign(accuracy_low=frame["accuracy"] - 0.2, accuracy_high=frame["accuracy"] + 0.2)


def test_what_robustness_is_comes_back(tmp_path):
    ROBUSTNESS.write(robustness(), tmp_path / "a.csv")
    pd.testing.assert_frame_equal(
        ROBUSTNESS.read(tmp_path / "a.csv"), robustness()[list(ROBUSTNESS.columns)], check_dtype=False
    )


@pytest.mark.parametrize(
    ("row", "changes", "told"),
    [
        (0, {"change": "jpeg"}, "line 2 has another row than was expected: unchanged, then"),
        (3, {"change": UNCHANGED}, "line 5 has another row than was expected"),
        (2, {"strength": 0.01}, "line 4 has another row than was expected"),
        (1, {"n": 19}, "line 3 has another row than was expected"),
        (0, {"n": 0}, "line 2 has n 0: 1 to"),
        (1, {"change": "rain"}, "line 3 has 'rain' as change: known are unchanged, blur,"),
        (1, {"strength": -1}, "line 3 has strength -1.0"),
        (1, {"macro_f1": 1.5}, "line 3 has macro_f1 1.5: 0 to 1"),
        (1, {"accuracy_low": 0.45}, "line 3 has an accuracy outside of its interval"),
        (1, {"accuracy": np.nan}, "line 3 has nan as accuracy, a number was expected"),
    ],
)
def test_what_robustness_cannot_be_is_one_line(tmp_path, row, changes, told):
    frame = robustness()
    for column, value in changes.items():
        frame.loc[row, column] = value
    frame.to_csv(tmp_path / "a.csv", index=False, na_rep="nan")
    with pytest.raises(FercompError) as error:
        ROBUSTNESS.read(tmp_path / "a.csv")
    assert told in str(error.value)
    assert str(error.value).endswith("run `fercomp robustness` again")


def test_robustness_without_a_row_is_one_line(tmp_path):
    robustness()[:0].to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(FercompError, match="line 2 has no row: one of unchanged was expected"):
        ROBUSTNESS.read(tmp_path / "a.csv")
