import json
import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercomp.annotate.recognise.recogniser import Picture, decide
from fercomp.annotate.records.file import Records
from fercomp.annotate.records.rows import columns, face_rows, frame_rows, problem_row
from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.tables import RECORDS
from fercomp.decisions.rule import Rule
from fercomp.faces.found import Faces
from fercomp.media.clips import Frame
from fercomp.modeling.bundle.model import Answer

ALL = columns(EMOTIONS)


def faces_of(n, seed):
    rng = np.random.default_rng(seed)
    boxes = np.sort(rng.uniform(0, 100, (n, 4)).astype(np.float32), axis=1)
    faces = Faces(boxes, rng.uniform(0, 1, n).astype(np.float32))
    pred_probs = rng.dirichlet(np.ones(9), n).astype(np.float32)
    return decide(faces, Answer(pred_probs, None), Rule(EMOTIONS))


def rows_of(file, n, seed=0):
    return face_rows(file, faces_of(n, seed))


def frame_of(file, index, n):
    faces = faces_of(n, index)
    raw = np.roll(faces.pred_probs, 1, axis=1)
    if n > 1:
        raw[1] = np.nan
    frame = Frame(index, index / 29.97, index, np.zeros((8, 8, 3), np.uint8))
    followed = replace(faces, tracks=np.arange(n), raw=raw)
    return frame_rows(file, Picture(frame, followed, np.ones(n, dtype=bool), ()))


def written(path, kind, groups):
    records = Records(path, ALL, kind)
    records.rewrite([])
    with records:
        for group in groups:
            records.append(group)
    return records


def test_columns_begin_as_documented():
    assert ALL[:6] == ("file", "status", "frame", "time", "face", "track")
    assert ALL[len(RECORDS) :] == (*EMOTIONS, *(f"raw_{emotion}" for emotion in EMOTIONS))


def test_what_is_appended_can_be_read_by_anybody(tmp_path):
    groups = [
        rows_of('two, "faces".jpg', 2),
        rows_of("none.jpg", 0),
        [problem_row("bad.jpg", "empty")],
    ]
    written(
        tmp_path / "records.csv", "csv", [*groups, frame_of("clip.mp4", 30, 2), frame_of("clip.mp4", 31, 0)]
    )
    table = pd.read_csv(tmp_path / "records.csv")
    assert list(table.columns) == list(ALL)
    names = ['two, "faces".jpg'] * 2 + ["none.jpg", "bad.jpg"] + ["clip.mp4"] * 3
    assert table["file"].tolist() == names
    assert table["status"].tolist() == ["face", "face", "no_face", "empty", "face", "face", "no_face"]
    assert table["face"].tolist()[:2] == [0, 1]
    assert table["faces"].tolist() == [2, 2, 0, 0, 2, 2, 0]
    np.testing.assert_allclose(table.loc[:1, list(EMOTIONS)].sum(axis=1), 1, atol=1e-5)
    assert table.loc[2:3, "frame":"confidence"].isna().all(axis=None)
    photos, frames = table[:4], table[4:]
    assert photos[["frame", "time", "track"]].isna().all(axis=None)
    assert frames["frame"].tolist() == [30, 30, 31]
    assert frames["time"].tolist() == pytest.approx([1.001, 1.001, 1.034368])
    assert frames["track"].tolist()[:2] == [0, 1]
    raw = table[[f"raw_{emotion}" for emotion in EMOTIONS]]
    np.testing.assert_allclose(raw.loc[4], np.roll(table.loc[4, list(EMOTIONS)].astype(float), 1))
    assert raw.drop(4).isna().all(axis=None)


def test_json_lines_hold_numbers_and_nulls(tmp_path):
    groups = [rows_of("1.0", 1), frame_of("clip.mp4", 7, 1), frame_of("clip.mp4", 8, 0)]
    written(tmp_path / "records.jsonl", "jsonl", groups)
    photo, face, none = [json.loads(line) for line in (tmp_path / "records.jsonl").open(encoding="utf-8")]
    assert tuple(photo) == tuple(face) == tuple(none) == ALL
    assert (photo["file"], photo["frame"], photo["faces"]) == ("1.0", None, 1)
    assert (face["frame"], face["track"]) == (7, 0)
    assert sum(face[emotion] for emotion in EMOTIONS) == pytest.approx(1, abs=1e-5)
    assert (none["status"], none["frame"], none["emotion"]) == ("no_face", 8, None)


def test_valence_and_arousal_are_on_record_where_a_model_gives_them():
    faces = replace(faces_of(1, 0), valence_arousal=np.array([[0.5, -0.25]], np.float32))
    (row,) = face_rows("x.jpg", faces)
    assert (row["valence"], row["arousal"]) == ("0.500000", "-0.250000")
    assert "valence" not in rows_of("x.jpg", 1)[0]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_change_leaves_all_else_as_it_is(tmp_path, kind):
    row = {**rows_of("a.jpg", 1)[0], "happy": "0.000010", "sad": "-0.000001", "size": "12.0"}
    records = written(tmp_path / "records", kind, [[row]])
    before = records.path.read_bytes()
    records.change(lambda row: row)
    assert records.path.read_bytes() == before
    records.change(lambda row: {**row, "person": "7"})
    ((read,),) = records.pictures()
    assert (read["person"], float(read["happy"]), float(read["sad"])) == ("7", 1e-5, -1e-6)


def test_numbers_that_are_none_stay_what_they_are(tmp_path):
    rows = rows_of("a.jpg", 1)
    path = written(tmp_path / "records.jsonl", "jsonl", [rows]).path
    path.write_text(path.read_text().replace('"face": 0', '"face": "--"'))
    records = written(tmp_path / "records.csv", "csv", [[{**rows[0], "faces": "9" * 5000}], rows])
    assert len(list(records.pictures())) == 0
    other = Records(path, json.loads(path.read_text()), "jsonl")
    other.change(lambda row: row)
    assert next(other.pictures())[0]["face"] == "--"


names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)


@given(
    pictures=st.lists(st.tuples(names, st.integers(0, 4)), max_size=5, unique_by=lambda p: p[0]),
    kind=st.sampled_from(["csv", "jsonl"]),
    cut=st.floats(0, 1),
    tail=st.sampled_from([b"", b"\0\0\0", b"a.jpg,face", b'"', b"\xc3"]),
)
def test_cut_off_anywhere_only_whole_pictures_are_on_record(tmp_path_factory, pictures, kind, cut, tail):
    path = tmp_path_factory.mktemp("cut") / "records"
    groups = [rows_of(name, n, seed=i) for i, (name, n) in enumerate(pictures)]
    groups += [frame_of("clip.mp4", i, n) for i, (_, n) in enumerate(pictures)]
    records = written(path, kind, [])
    header = path.stat().st_size
    with records:
        for group in groups:
            records.append(group)
    whole = path.read_bytes()
    keep = header + round(cut * (len(whole) - header))
    path.write_bytes(whole[:keep] + tail)
    read = list(records.pictures())
    assert [row["file"] for row, *_ in read] == [row["file"] for row, *_ in groups][: len(read)]
    if kind == "csv":
        for picture, group in zip(read, groups, strict=False):
            assert [{k: v for k, v in row.items() if v} for row in picture] == group
    if keep == len(whole):
        assert len(read) == len(groups)
    records.rewrite(records.index().values())
    kept = path.read_bytes()
    assert whole.startswith(kept)
    assert list(records.pictures()) == read


def test_only_the_files_that_are_kept_stay_and_in_the_order_asked_for(tmp_path):
    groups = [rows_of("a", 1), *(frame_of("b", i, i % 3) for i in range(9)), rows_of("c", 2)]
    records = written(tmp_path / "records.csv", "csv", groups)
    index = records.index()
    assert list(index) == ["a", "b", "c"]
    assert len(index["b"].spans) == 1
    records.rewrite([index["c"], index["a"]])
    assert [rows[0]["file"] for rows in records.pictures()] == ["c", "a"]


def test_other_columns_and_no_file_are_no_records(tmp_path):
    path = tmp_path / "records.csv"
    assert list(Records(path, ALL).pictures()) == []
    path.write_bytes(b"")
    assert list(Records(path, ALL).pictures()) == []
    other = Records(path, columns(("yes", "no")))
    other.rewrite([])
    with other:
        other.append([problem_row("a", "empty")])
    assert list(Records(path, ALL).pictures()) == []
    assert list(other.index()) == ["a"]
    assert not other.index()["a"].usable


def test_rows_that_cannot_be_written_whole_are_taken_back(tmp_path):
    path = tmp_path / "records.csv"
    records = written(path, "csv", [rows_of("first.jpg", 1)])
    before = path.read_bytes()

    class Full:
        """A file on a disk with room for ten more bytes."""

        def __init__(self, file):
            self.file, self.room = file, 10

        def write(self, data):
            if not self.room:
                raise OSError(28, "No space left on device")
            n = self.file.write(data[: self.room])
            self.room -= n
            return n

        def __getattr__(self, name):
            return getattr(self.file, name)

    with records:
        records._file = Full(records._file)
        with pytest.raises(OSError, match="No space"):
            records.append(rows_of("second.jpg", 3))
    assert path.read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="Windows removes no open files")
def test_a_full_disk_leaves_records_that_were_replaced_where_they_are(tmp_path, monkeypatch):
    records = written(tmp_path / "records.csv", "csv", [rows_of("first.jpg", 1)])
    before = records.path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    with records:
        records.path.unlink()
        records.path.write_text("theirs")
        with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
            patch.setattr("fercomp.annotate.records.file._copy", full)
            records.append(rows_of("second.jpg", 1))
        assert [path.read_text() for path in tmp_path.iterdir()] == ["theirs"]
        records.append(rows_of("second.jpg", 1))
    assert records.path.read_bytes().startswith(before)
    assert list(records.index()) == ["first.jpg", "second.jpg"]
    assert (tmp_path / "records.1.csv").read_text() == "theirs"


def test_a_disk_that_does_not_say_which_file_is_which_is_told_at_once(tmp_path, monkeypatch):
    records = written(tmp_path / "records.csv", "csv", [rows_of("first.jpg", 1)])
    monkeypatch.setattr("fercomp.annotate.records.file.is_in_place", lambda *_: False)
    with (
        records,
        pytest.raises(FercompError, match=r"does not say which file is which: choose another --out"),
    ):
        records.append(rows_of("second.jpg", 1))
    assert list(records.index()) == ["first.jpg"]
    assert len(list(tmp_path.glob("records.*.csv"))) == 1
