"""Records as Parquet. Where pyarrow is not installed, only what is said then is tested."""

import importlib.util

import pandas as pd
import pytest

from fercomp.annotate.batch import annotate_media, merge_media
from fercomp.annotate.options import Options
from fercomp.annotate.records import parquet as module
from fercomp.core.errors import FercompError
from fercomp.core.shards import Shard

needs_pyarrow = pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="needs pyarrow")


def options(kind="parquet", **more):
    return Options(detector="whole", records=kind, **more)


def test_without_pyarrow_it_is_said_before_the_work(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(FercompError, match="Parquet needs pyarrow: install fercomp's extra `parquet`"):
        options()
    assert options("csv").records == "csv"


@needs_pyarrow
def test_the_same_values_as_in_the_csv_with_fixed_types(bundle, photos, tmp_path, write_clip, faces):
    from pyarrow import parquet

    write_clip(photos / "clip.mp4", [faces[0]] * 4)
    (photos / "bad.png").write_text("not a picture")
    (photos / 'quotes, "and more".jpg').write_bytes((photos / "a" / "face.jpg").read_bytes())
    done = annotate_media(photos, tmp_path / "out", bundle, options())
    assert done.records == tmp_path / "out" / "records.parquet"
    table = pd.read_csv(done.records.with_suffix(".csv"))
    read = parquet.read_table(done.records)
    assert read.column_names == list(table.columns)
    pd.testing.assert_frame_equal(read.to_pandas(), table, check_dtype=False)
    types = {field.name: str(field.type) for field in read.schema}
    assert {name for name, kind in types.items() if kind == "string"} == {"file", "status", "emotion", "note"}
    whole = {"frame", "face", "track", "person", "faces"}
    assert {name for name, kind in types.items() if kind == "int64"} == whole
    assert set(types.values()) == {"string", "int64", "double"}
    annotate_media(photos / "landscape.png", tmp_path / "one", bundle, options())
    assert parquet.read_schema(tmp_path / "one" / "records.parquet") == read.schema, "whatever the values are"


@needs_pyarrow
def test_it_is_made_anew_of_what_is_on_record(bundle, photos, tmp_path):
    out = tmp_path / "out"
    annotate_media(photos, out, bundle, options("csv"))
    done = annotate_media(photos, out, bundle, options())
    assert done.earlier == 6, "records as CSV are the same run"
    first = done.records.read_bytes()
    annotate_media(photos, out, bundle, options("csv"))
    assert done.records.read_bytes() == first, "nothing has changed"
    (photos / "two.webp").unlink()
    annotate_media(photos, out, bundle, options("csv"))
    assert not done.records.exists(), "it is out of date"
    annotate_media(photos, out, bundle, options())
    assert "two.webp" not in set(pd.read_parquet(done.records)["file"])


@needs_pyarrow
def test_somebody_elses_file_is_kept_aside(bundle, photos, tmp_path, capsys):
    out = tmp_path / "out"
    annotate_media(photos, out, bundle, options("csv"))
    (out / "records.parquet").write_bytes(b"mine")
    annotate_media(photos, out, bundle, options("csv"))
    assert (out / "records.parquet").read_bytes() == b"mine"
    annotate_media(photos, out, bundle, options())
    assert (out / "records.1.parquet").read_bytes() == b"mine"
    assert (
        "records.parquet was not written by annotate: it is now records.1.parquet" in capsys.readouterr().err
    )


@needs_pyarrow
def test_many_rows_are_written_group_by_group(tmp_path, monkeypatch):
    from pyarrow import parquet

    from fercomp.annotate.records.rows import columns

    monkeypatch.setattr(module, "_GROUP", 2**16)
    names = columns(("happy", "sad"))
    rows = [
        [f"{i}.jpg", "no_face", *("0" if name == "faces" else "" for name in names[2:])] for i in range(5000)
    ]
    (tmp_path / "records.csv").write_text("".join(",".join(row) + "\n" for row in [names, *rows]))
    module.write_parquet(tmp_path / "records.csv", names)
    assert parquet.ParquetFile(tmp_path / "records.parquet").num_row_groups > 2
    read = parquet.read_table(tmp_path / "records.parquet")
    assert read["file"].to_pylist() == [f"{i}.jpg" for i in range(5000)]
    assert read["x1"].null_count == read["note"].null_count == 5000


@needs_pyarrow
def test_no_row_at_all_has_the_same_columns(bundle, photos, tmp_path):
    from pyarrow import parquet

    empty = Shard(3 - Shard.holding("two.webp", 2).number, 2)
    done = annotate_media(photos / "two.webp", tmp_path / "out", bundle, options(), shard=empty)
    assert done.photos == 0
    other = Shard.holding("two.webp", 2)
    whole = annotate_media(photos / "two.webp", tmp_path / "out", bundle, options(), shard=other)
    read = [parquet.read_table(one.records) for one in (done, whole)]
    assert read[0].num_rows == 0
    assert read[0].schema == read[1].schema


@needs_pyarrow
def test_merged_shards_give_the_file_of_one_machine(bundle, photos, tmp_path):
    annotate_media(photos, tmp_path / "whole", bundle, options())
    for k, kind in ((1, "parquet"), (2, "csv")):
        done = annotate_media(photos, tmp_path / "parts", bundle, options(kind), shard=Shard(k, 2))
        assert done.records.name == f"records.shard-{k}-of-2.{kind}"
    assert len(pd.read_parquet(tmp_path / "parts" / "records.shard-1-of-2.parquet")) > 0
    merged = merge_media(photos, tmp_path / "parts", bundle, options())
    assert merged.records == tmp_path / "parts" / "records.parquet"
    for name in ("records.parquet", "records.csv", "run.json"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
