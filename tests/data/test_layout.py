"""Competitions in other layouts: fetched, prepared, predicted, sent in their form, or refused in a line."""

import io
import shutil
import zipfile
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from fercomp.core.errors import FercompError
from fercomp.core.params import FetchParams, LayoutParams, PredictParams, PrepareParams
from fercomp.core.params.group import validated
from fercomp.core.paths import Workspace
from fercomp.core.tables import PHOTOS, PROBLEMS
from fercomp.data.own_form import own_form
from fercomp.demo.competition import write_demo
from fercomp.kaggle.submissions.candidate import choose
from fercomp.kaggle.submissions.csv_file import write_submission
from fercomp.stages.fetch import fetch
from fercomp.stages.predicting.predict import predict_test
from fercomp.stages.prepare import prepare

FER = {
    "angry": "anger",
    "disgusted": "disgust",
    "fearful": "fear",
    "happy": "happy",
    "neutral": "neutral",
    "sad": "sad",
    "surprised": "surprise",
}
"""What a competition may call its seven classes, and our names."""


@pytest.fixture
def faces(tiny_workspace):
    """Photos of seven classes: their names there, and bytes. Then those of the test."""
    rows = pd.read_csv(tiny_workspace.train_csv, dtype=str)
    theirs = {ours: name for name, ours in FER.items()}
    rows = rows[rows["emotion"].isin(theirs)]
    train = [
        (theirs[row.emotion], (tiny_workspace.raw / row.image_path).read_bytes()) for row in rows.itertuples()
    ]
    test = [path.read_bytes() for path in sorted((tiny_workspace.raw / "test_kaggle").iterdir())[:6]]
    return train, test


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def zipped(files: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
    return sink.getvalue()


def table(header: str, rows) -> bytes:
    return "\n".join([header, *(",".join(map(str, row)) for row in rows), ""]).encode()


def id_label(faces):
    """`id,label` with FER's names; one folder for all photos; a sample of its own, with zeros."""
    train, test = faces
    photos = {f"images/{i}.jpg": content for i, content in enumerate([c for _, c in train] + test)}
    first = len(train)
    ids = [f"{first + i}.jpg" for i in range(len(test))]
    files = {
        "labels.csv": table("id,label", [(f"{i}.jpg", name) for i, (name, _) in enumerate(train)]),
        "sample.csv": table("id,label", [(name, 0) for name in ids]),
        **photos,
    }
    layout = LayoutParams(
        table="labels.csv", photo="id", label="label", sample="sample.csv", sample_photo="id",
        sample_label="label", train="images", test="images", classes=FER,
    )  # fmt: skip
    return files, layout, "id,label", ids


def without_suffix(faces):
    """Ids without `.jpg`, other columns in the sample, one more there, and classes as numbers."""
    train, test = faces
    numbers = {name: str(i) for i, name in enumerate(FER)}
    ids = [f"t{i:05}" for i in range(len(test))]
    files = {
        "data/train.csv": table(
            "file,y,who", [(f"{i:05}", numbers[name], "x") for i, (name, _) in enumerate(train)]
        ),
        "data/sample_submission.csv": table("Id,,Expected", [(name, "Public", 0) for name in ids]),
        **{f"data/train/{i:05}.png": content for i, (_, content) in enumerate(train)},
        **{f"data/test/{name}.png": content for name, content in zip(ids, test, strict=True)},
    }
    layout = LayoutParams(
        table="data/train.csv", photo="file", label="y", sample="data/sample_submission.csv",
        sample_photo="Id", sample_label="Expected", train="data/train", test="data/test", suffix=".png",
        classes={numbers[name]: ours for name, ours in FER.items()},
    )  # fmt: skip
    return files, layout, "Id,,Expected", ids


def nested(faces):
    """Zips in the zip, one with its folder inside and one without; the folders are the labels."""
    train, test = faces
    ids = [f"{i}.jpg" for i in range(len(test))]
    inner = {f"{name}/{i}.jpg": content for i, (name, content) in enumerate(train)}
    tests = {f"test/{name}": content for name, content in zip(ids, test, strict=True)}
    files = {
        "train.zip": zipped(inner),
        "test.zip": zipped(tests),
        "sample_submission.csv.zip": zipped(
            {"sample_submission.csv": table("image,emotion", [(f"test/{name}", "happy") for name in ids])}
        ),
    }
    layout = LayoutParams(table=None, sample_photo="image", test="test", classes=FER)
    return files, layout, "image,emotion", [f"test/{name}" for name in ids]


LAYOUTS = {make.__name__: make for make in (id_label, without_suffix, nested)}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", LAYOUTS)
def test_from_another_layout_to_a_submission_in_its_own_form(workspace, faces, name, packed):
    files, layout, header, ids = LAYOUTS[name](faces)
    source = workspace.root / ("there.zip" if packed else "there")
    source.write_bytes(zipped(files)) if packed else write(source, files)
    before = {path: path.read_bytes() for path in source.rglob("*") if path.is_file()}

    report = fetch(str(source), workspace.raw, layout=layout)
    assert (report.train_photos, report.test_photos) == (len(faces[0]), 6)
    assert {path: path.read_bytes() for path in source.rglob("*") if path.is_file()} == before

    found = prepare(workspace.raw, PrepareParams(folds=2))
    photos = found.photos
    assert sorted(photos.loc[photos["split"] != "test", "emotion"].unique()) == sorted(FER.values())
    assert found.problems["reason"].tolist() == []
    listed = pd.read_csv(workspace.train_csv)
    assert listed["emotion"].value_counts().to_dict() == Counter(FER[label] for label, _ in faces[0])
    if name != "nested":  # whose rows are in the order of the folders
        assert [(workspace.raw / path).read_bytes() for path in listed["image_path"]] == [
            c for _, c in faces[0]
        ]
    PHOTOS.write(photos, workspace.photos)
    PROBLEMS.write(found.problems, workspace.problems)

    predict_test(workspace.bundle("tiny"), workspace, PredictParams())
    written = write_submission(workspace.bundle("tiny"), workspace)
    lines = written.path.read_text().splitlines()
    assert lines[0] == header
    assert [line.split(",")[0] for line in lines[1:]] == ids
    known = set(layout.classes)
    assert {line.split(",")[-1] for line in lines[1:]} <= known
    candidate = choose(written.path, None, workspace)
    assert candidate.rows == 6
    assert candidate.content == written.path.read_bytes()

    by_hand = workspace.root / "by hand.csv"
    by_hand.write_text("\n".join([lines[0], *(line.rpartition(",")[0] + ",anger" for line in lines[1:]), ""]))
    with pytest.raises(FercompError, match=r"by hand\.csv has unknown classes \['anger'\]: known are "):
        choose(by_hand, None, workspace)
    by_hand.write_text("\n".join([f",{lines[0]}", *(f"{i},{line}" for i, line in enumerate(lines[1:])), ""]))
    with pytest.raises(FercompError, match="has the columns"):
        choose(by_hand, None, workspace)
    by_hand.write_text("\n".join([lines[0], *reversed(lines[1:]), ""]))
    with pytest.raises(FercompError, match="the right ids in another order"):
        choose(by_hand, None, workspace)


def test_our_own_layout_and_the_demo_stay_as_they_came(tmp_path):
    raw = Workspace(tmp_path / "work").raw
    write_demo(tmp_path / "demo files")
    fetch(str(tmp_path / "demo files"), raw)
    assert sorted(path.name for path in raw.iterdir()) == sorted(
        path.name for path in (tmp_path / "demo files").iterdir()
    )
    assert own_form(raw) is None
    fetch("demo", raw, layout=LayoutParams(train="elsewhere"))  # it has a layout of its own
    assert own_form(raw) is None


@pytest.fixture
def there(tmp_path):
    tables = {"train.csv": b"id,label\n1,angry\n", "sample.csv": b"id,label\n2,happy\n"}
    return write(tmp_path / "there", {**tables, "a/1.jpg": b"1", "a/2.jpg": b"2"})


COLUMNS = {"photo": "id", "label": "label", "sample_photo": "id", "sample_label": "label"}
MINE = {**COLUMNS, "sample": "sample.csv", "train": "a", "test": "a", "suffix": ".jpg"}
ANGRY = {"classes": {"angry": "anger"}}


@pytest.mark.parametrize(
    ("change", "rows", "told"),
    [
        ({}, "1,angry", r"train\.csv has a class 'angry', which is none of anger, .*: \{angry: happy\}"),
        (ANGRY, "1,bored", "has a class 'bored', which is none of anger, contempt"),
        (ANGRY, "1,angry\n2,anger", "has 'anger' and 'angry', both anger"),
        (ANGRY, "", "names no training photo: look at fetch.layout"),
        ({"photo": "name"}, "1,anger", r"lacks the columns \['name'\]; it has .*: look at fetch\.layout"),
        ({"sample_label": "name"}, "1,anger", r"lacks the columns \['name'\]"),
        ({"table": "labels.csv"}, "1,anger", r"lacks labels\.csv: expected .*labels\.csv, sample\.csv, a/"),
        ({"train": "b"}, "1,anger", r"lacks b/: expected .*another layout is set by fetch\.layout"),
        ({"table": None}, "", "the folder a has a class '', which is none of"),
    ],
)
def test_what_a_layout_does_not_fit_is_one_line_and_changes_nothing(tmp_path, there, change, rows, told):
    raw = Workspace(tmp_path / "work").raw
    write(raw, {"kept": b"kept"})
    (there / "train.csv").write_text(f"id,label\n{rows}\n")
    with pytest.raises(FercompError, match=told) as error:
        fetch(str(there), raw, layout=LayoutParams(**{**MINE, **change}))
    assert "\n" not in str(error.value)
    assert [path.name for path in raw.iterdir()] == ["kept"]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"train": "../a"}, "fetch.layout.train.*a path inside the competition's files"),
        ({"test": "/a"}, "fetch.layout.test"),
        ({"sample": "."}, "fetch.layout.sample"),
        ({"table": "a\\b"}, "fetch.layout.table"),
        ({"suffix": "jpg"}, "fetch.layout.suffix"),
        ({"suffix": "./../x"}, "fetch.layout.suffix"),
        ({"photo": ""}, "fetch.layout.photo"),
        (
            {"classes": {"angry": "angry"}},
            "fetch.layout.classes.angry.*one of fercomp's classes was expected",
        ),
        ({"classes": {"angry": "anger", "mad": "anger"}}, "fetch.layout.*anger has two names"),
        ({"classes": {"5": 5}}, "fetch.layout.classes.5"),
        ({"classes": {str(i): "anger" for i in range(101)}}, "fetch.layout.classes"),
        ({"folder": "a"}, "unknown parameter 'fetch.layout.folder'"),
    ],
)
def test_a_layout_that_cannot_be_is_refused(values, told):
    with pytest.raises(FercompError, match=told):
        validated(FetchParams, {"layout": values}, "fetch.")


@pytest.mark.parametrize("name", ["../out.jpg", "/etc/passwd", "b/../../out.jpg", "", ".", "x" * 300, "a\nb"])
def test_names_in_tables_lead_nowhere(tmp_path, there, name):
    """They are rows that `prepare` cannot use; nothing is moved or read outside."""
    raw = Workspace(tmp_path / "work").raw
    (there / "train.csv").write_text('id,label\n1,anger\n"' + name + '",anger\n')
    (there / "sample.csv").write_text('id,label\n"' + name + '",anger\n2,anger\n')
    write(tmp_path / "work" / "datasets", {"out.jpg": b"precious"})
    fetch(str(there), raw, layout=LayoutParams(**{**MINE, "suffix": ""}))
    assert (tmp_path / "work" / "datasets" / "out.jpg").read_bytes() == b"precious"
    assert not list(raw.rglob("passwd"))


@pytest.mark.parametrize("member", ["../escaped.jpg", "/escaped.jpg", "a/../../escaped.jpg"])
def test_a_zip_in_the_zip_is_unpacked_with_the_same_suspicion(tmp_path, there, member):
    (there / "b.zip").write_bytes(zipped({member: b"x"}))
    raw = Workspace(tmp_path / "work").raw
    with pytest.raises(FercompError, match="is not safe to unpack"):
        fetch(str(there), raw, layout=LayoutParams(**{**MINE, "test": "b", "classes": {"angry": "anger"}}))
    assert not raw.exists()
    assert not list(tmp_path.rglob("escaped.jpg"))


def test_zips_in_the_zip_need_no_layout_where_the_rest_is_ours(tmp_path, workspace):
    photos = sorted(workspace.raw.glob("train/*/*"))
    inner = {path.relative_to(workspace.raw).as_posix(): path.read_bytes() for path in photos}
    content = zipped({**inner, "__MACOSX/train/._x": b"junk"})
    there = workspace.root / "there"
    workspace.raw.rename(there)
    before = (there / "train.csv").read_bytes()
    shutil.rmtree(there / "train")
    (there / "train.zip").write_bytes(content)
    report = fetch(str(there), workspace.raw)
    assert report.train_photos == len(inner)
    assert sorted(path.name for path in workspace.raw.iterdir()) == [
        "sample_submission.csv", "test_kaggle", "train", "train.csv"
    ]  # fmt: skip
    assert workspace.train_csv.read_bytes() == before


def test_files_called_as_our_folder_are_told(tmp_path, there):
    (there / "original").mkdir()
    write(there, {"original/x": b""})
    with pytest.raises(FercompError, match="have a 'original' of their own: rename it"):
        fetch(str(there), Workspace(tmp_path / "work").raw, layout=LayoutParams(**MINE))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"photo": "id", "label": "x", "names": 5}', "\0"])
def test_a_damaged_note_of_the_layout_is_told(workspace, text):
    write(workspace.raw, {"original/.layout.json": text.encode()})
    with pytest.raises(FercompError, match=r"\.layout\.json is damaged: run `fercomp fetch` again"):
        write_submission_of(workspace)


def write_submission_of(workspace):
    predict_test(workspace.bundle("tiny"), workspace, PredictParams())
    return write_submission(workspace.bundle("tiny"), workspace)
