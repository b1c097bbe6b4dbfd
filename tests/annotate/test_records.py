import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercomp.annotate.recogniser import decide
from fercomp.annotate.records import (
    COLUMNS,
    RecordAppender,
    columns,
    face_rows,
    problem_row,
    read_records,
    write_records,
)
from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.faces.detect import Faces

ALL = columns(EMOTIONS)


def rows_of(file, n, seed=0):
    rng = np.random.default_rng(seed)
    boxes = np.sort(rng.uniform(0, 100, (n, 4)).astype(np.float32), axis=1)
    faces = Faces(boxes, rng.uniform(0, 1, n).astype(np.float32))
    pred_probs = rng.dirichlet(np.ones(9), n).astype(np.float32)
    return face_rows(file, faces, decide(pred_probs, EMOTIONS, None), EMOTIONS)


def test_columns_begin_as_documented():
    assert ALL[:10] == ("file", "status", "face", "x1", "y1", "x2", "y2", "score", "emotion", "confidence")
    assert ALL[len(COLUMNS) :] == EMOTIONS


def test_a_class_may_not_be_called_as_a_column():
    with pytest.raises(FercompError, match=r"\['face'\]"):
        columns(("happy", "face"))


def test_what_is_appended_can_be_read_by_anybody(tmp_path):
    import pandas as pd

    path = tmp_path / "records.csv"
    write_records(path, ALL, [])
    with RecordAppender(path, ALL) as records:
        records.append(rows_of('two, "faces".jpg', 2))
        records.append(rows_of("none.jpg", 0))
        records.append([problem_row("broken.jpg", "truncated")])
    table = pd.read_csv(path)
    assert list(table.columns) == list(ALL)
    assert table["file"].tolist() == ['two, "faces".jpg', 'two, "faces".jpg', "none.jpg", "broken.jpg"]
    assert table["status"].tolist() == ["face", "face", "no_face", "truncated"]
    assert table["face"].tolist()[:2] == [0, 1]
    assert table["faces"].tolist() == [2, 2, 0, 0]
    np.testing.assert_allclose(table.loc[:1, list(EMOTIONS)].sum(axis=1), 1, atol=1e-5)
    assert table.loc[2:, "x1":"confidence"].isna().all(axis=None)


names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)


@given(
    pictures=st.lists(st.tuples(names, st.integers(0, 4)), max_size=5, unique_by=lambda p: p[0]),
    cut=st.floats(0, 1),
    tail=st.sampled_from([b"", b"\0\0\0", b"a.jpg,face", b'"', b"\xc3"]),
)
def test_cut_off_anywhere_only_whole_pictures_are_on_record(tmp_path_factory, pictures, cut, tail):
    path = tmp_path_factory.mktemp("cut") / "records.csv"
    groups = {name: rows_of(name, n, seed=i) for i, (name, n) in enumerate(pictures)}
    write_records(path, ALL, [])
    header = path.stat().st_size
    with RecordAppender(path, ALL) as records:
        for group in groups.values():
            records.append(group)
    written = path.read_bytes()
    keep = header + round(cut * (len(written) - header))
    path.write_bytes(written[:keep] + tail)
    read = read_records(path, ALL)
    assert list(read) == list(groups)[: len(read)]
    for file, group in read.items():
        assert [{k: v for k, v in row.items() if v} for row in group] == groups[file]
    if keep == len(written):
        assert list(read) == list(groups)


def test_other_columns_and_no_file_are_no_records(tmp_path):
    path = tmp_path / "records.csv"
    assert read_records(path, ALL) == {}
    path.write_bytes(b"")
    assert read_records(path, ALL) == {}
    write_records(path, columns(("yes", "no")), [[problem_row("a", "empty")]])
    assert read_records(path, ALL) == {}


def test_rows_that_cannot_be_written_whole_are_taken_back(tmp_path):
    path = tmp_path / "records.csv"
    write_records(path, ALL, [rows_of("first.jpg", 1)])
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

    with RecordAppender(path, ALL) as records:
        records._file = Full(records._file)
        with pytest.raises(OSError, match="No space"):
            records.append(rows_of("second.jpg", 3))
    assert path.read_bytes() == before
