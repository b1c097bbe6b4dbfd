import os

import pytest

from fercomp.annotate.batch import annotate_media
from fercomp.annotate.options import Options
from fercomp.annotate.sources.lists import listed
from fercomp.annotate.sources.places import find_places
from fercomp.core.errors import FercompError


def write_parquet(where, **columns):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.table(columns), where)
    return where


@pytest.fixture
def photos(photos, monkeypatch):
    """Paths on a list are relative to the current folder."""
    monkeypatch.chdir(photos.parent)
    return photos


def test_a_list_is_what_is_on_it(photos, bundle, tmp_path):
    (photos / "bad.png").write_text("not a picture")
    names = sorted(str(path.relative_to(tmp_path)) for path in photos.rglob("*.*"))
    lines = [os.fsencode(name) for name in (*names, names[0], "photos/gone.jpg", "")]
    (tmp_path / "photos.txt").write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(lines))
    options = Options(detector="whole")
    done = annotate_media(tmp_path / "photos.txt", tmp_path / "of-list", bundle, options)
    assert done.problems == {"bad.png": "not_an_image", "gone.jpg": "missing"}
    annotate_media(photos, tmp_path / "of-folder", bundle, options)
    of_list, of_folder = ((tmp_path / name / "records.csv").read_text() for name in ("of-list", "of-folder"))
    assert [
        line for line in of_list.splitlines() if not line.startswith("gone.jpg")
    ] == of_folder.splitlines()


def test_a_parquet_file_is_a_list_too(photos, tmp_path):
    names = ["photos/a", "photos/two.webp", None, "photos/missing.jpg"]
    path = write_parquet(tmp_path / "photos.parquet", path=names, label=[1, 2, 3, 4])
    found = find_places([path, photos / "landscape.png"], tmp_path / "out").found
    files = ["a/deep/face.png", "a/face.jpg", "landscape.png", "missing.jpg", "two.webp"]
    assert [source.file for source in found] == files
    path = write_parquet(tmp_path / "bytes.parquet", path=[b"photos/\xff.jpg"])
    assert list(listed(path)) == ["photos/\udcff.jpg"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is empty: expected a photo in each line"),
        (b"a.jpg\nb\0.jpg\n", "line 2 is no path"),
        (b"a.jpg\n" + b"x" * 10**6, "line 2 is no path"),
    ],
)
def test_a_text_that_is_no_list_is_refused(tmp_path, data, told):
    (tmp_path / "photos.txt").write_bytes(data)
    with pytest.raises(FercompError, match=told):
        find_places([tmp_path / "photos.txt"], tmp_path / "out")


def test_a_parquet_file_that_is_no_list_is_refused(tmp_path):
    path = write_parquet(tmp_path / "photos.parquet", file=["a.jpg"], size=[1])
    with pytest.raises(FercompError, match=r"has the columns file, size: expected .* a column 'path'"):
        list(listed(path))
    path = write_parquet(tmp_path / "photos.parquet", path=[1])
    with pytest.raises(FercompError, match="has '1' as path: expected"):
        list(listed(path))
    path.write_bytes(b"PAR1 and then something else")
    with pytest.raises(FercompError, match="cannot be read"):
        list(listed(path))
    for name in (b"a\0b.jpg", "a\0b.jpg", "x" * 10**6):
        path = write_parquet(
            tmp_path / "photos.parquet", path=["a.jpg", name] if str(name) == name else [name]
        )
        with pytest.raises(FercompError, match="as path, which is no path: expected"):
            list(listed(path))
    path = write_parquet(tmp_path / "photos.parquet", path=["a.jpg"])
    path.write_bytes(path.read_bytes().replace(b"path", b"p\xd5th"))
    with pytest.raises(FercompError, match="cannot be read"):
        list(listed(path))
