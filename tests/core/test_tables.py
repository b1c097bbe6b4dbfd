"""CSV tables: what is written comes back, what is not such a table is told."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.tables import (
    FORMER_NAMES,
    PROBLEMS,
    Table,
    existing,
    holdout_table,
    pred_probs,
    prediction_table,
)

TABLE = Table({"name": "str", "count": "int64", "share": "float64"}, "run `fercomp make`")


def test_read_gives_the_columns_of_the_table_in_its_order(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("share,more,name,count\n0.5,x,NA,3\n1,y,,4\n")
    frame = TABLE.read(path)
    assert list(frame.columns) == ["name", "count", "share"]
    assert frame["name"].tolist() == ["NA", ""]
    assert frame["count"].tolist() == [3, 4]
    assert frame["share"].tolist() == [0.5, 1.0]


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


@given(arrays(np.float64, (3, len(EMOTIONS)), elements=st.floats(min_value=0, max_value=1)))
def test_probabilities_come_back_in_class_order(tmp_path_factory, probabilities):
    table = holdout_table(EMOTIONS)
    frame = pd.DataFrame(probabilities, columns=list(EMOTIONS)).iloc[:, ::-1]
    frame["image_path"], frame["emotion"] = "a.jpg", "fear"
    path = tmp_path_factory.mktemp("tables") / "test_probs.csv"
    table.write(frame, path)
    np.testing.assert_allclose(pred_probs(table.read(path)), probabilities, atol=5.1e-7)


def test_only_labelled_probabilities_have_an_emotion():
    assert "emotion" in holdout_table(EMOTIONS).columns
    assert "emotion" not in prediction_table(EMOTIONS).columns


def test_columns_cannot_be_changed_by_accident():
    with pytest.raises(TypeError):
        PROBLEMS.columns["reason"] = "int64"
