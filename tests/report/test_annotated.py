"""`annotate --report`: the page and the summary say what the records say, whatever is called how."""

import base64
import json
import re
import time

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fercomp.annotate.people.names import PersonCount, write_people
from fercomp.annotate.records.rows import columns
from fercomp.core.errors import FercompError
from fercomp.core.files import write_json
from fercomp.report.annotated.pictures import strips_of
from fercomp.report.annotated.ribbon import PIECES, ribbon_pieces
from fercomp.report.annotated.write import report_annotated
from tests.annotated_files import ANSWERS, CLASSES, NAME, frame_rows_of, some_pictures, write_records
from tests.report_files import Page


@pytest.fixture
def pictures():
    return some_pictures()


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_the_numbers_are_those_of_the_records(tmp_path, pictures, kind):
    records = write_records(tmp_path / f"records.{kind}", pictures)
    write_people(tmp_path / "people.csv", {0: PersonCount(), 1: PersonCount()}, {1: NAME})
    written = report_annotated(tmp_path, records)
    table = pd.DataFrame([row for rows in pictures for row in rows]).query("status == 'face'").fillna("")
    summary = pd.read_csv(written.summary, keep_default_na=False)

    def row(of, **keys):
        (found,) = [
            r for _, r in summary.iterrows() if r["of"] == of and all(str(r[k]) == v for k, v in keys.items())
        ]
        return found

    for found, rows in [
        (row("all"), table),
        (row("photos"), table[table["file"].isin(["a.jpg", "b.jpg"])]),
        (row("person", person="0"), table[table["person"] == "0"]),
        (row("person", person="1"), table[table["person"] == "1"]),
        (row("clip", file=f"{NAME}.mp4"), table[table["file"] == f"{NAME}.mp4"]),
        (row("track", track="1"), table[table["track"] == "1"]),
    ]:
        assert found["faces"] == len(rows)
        for answer in ANSWERS:
            assert float(found[answer]) == pytest.approx((rows["emotion"] == answer).mean(), abs=1e-6)
        assert found["emotion"] == rows["emotion"].value_counts().sort_index().idxmax()
        points = rows[rows["valence"] != ""]
        if len(points):
            assert float(found["valence"]) == pytest.approx(points["valence"].astype(float).mean(), abs=1e-6)
            assert float(found["arousal"]) == pytest.approx(points["arousal"].astype(float).mean(), abs=1e-6)
        else:
            assert found["valence"] == ""
    # A frame is shown up to the next one; the last one as long as that before it.
    assert float(row("person_in_clip", person="0")["seconds"]) == pytest.approx(0.7 + 1.3 + 0.5)
    assert (row("person", person="1")["name"], row("clip", file="empty.mov")["faces"]) == (NAME, 0)

    page = Page(written.page.read_text())
    assert page.tables["Emotions of all faces"][1][:3] == ["happy", "12", "63.2 %"]
    people = {line[0]: line for line in page.tables["Each person"]}
    assert people["person\xa00"][2:4] == ["happy", "79 %"]
    assert people[f"{NAME}\xa0(1)"][-2:] == ["\N{MINUS SIGN}1.00", "+0.00"]
    assert page.tables["Files that could not be used, or only in part"][1:] == [["bad.jpg", "not_an_image"]]
    seen = page.tables[f"Who is seen in {NAME}.mp4"]
    assert [line[0] for line in seen[1:]] == ["all", "person\xa00", "track\xa01"]


def test_nothing_in_the_page_is_anybody_elses_markup(tmp_path, pictures):
    (tmp_path / "people-data").mkdir()
    Image.new("RGB", (192, 96)).save(tmp_path / "people-data" / "person-0.jpg")
    bomb = bytearray((tmp_path / "people-data" / "person-0.jpg").read_bytes())
    bomb[(size := bomb.find(b"\xff\xc0") + 5) : size + 4] = b"\xff\xf0\xff\xf0"
    for data in (b"no picture", bytes(2**21), bytes(bomb)):
        (tmp_path / "people-data" / "person-1.jpg").write_bytes(data)
        assert list(strips_of(tmp_path, {0: 0, 1: 1, 2: 2})) == [0]
    Image.new("RGB", (640, 480)).save(tmp_path / "a.jpg")
    (tmp_path / "b.jpg").write_text("no photo")
    written = {"a.jpg": "a.jpg", "b.jpg": "b.jpg", "../secret.jpg": "c.jpg", "x.mp4": "empty.mov"}
    write_json(tmp_path / "run.json", {"fercomp": "1", "written": written})
    (tmp_path / "people.csv").write_text("x,y\n1,2\n")
    html = report_annotated(tmp_path, write_records(tmp_path / "records.csv", pictures)).page.read_text()
    page = Page(html)
    assert not page.raw["script"], "it needs no script"
    assert "script-src 'none'" in page.policy and "default-src 'none'" in page.policy
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "iframe", "object", "form", "base"}
    sources = [attributes["src"] for tag, attributes in page.tags if tag == "img"]
    assert len(sources) == 2, "one person, one photo"
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", html)
    assert f"{NAME}.mp4" in page.text and "people.csv, row 2 has the person None" in page.text


def test_records_of_earlier_versions_are_read(tmp_path):
    old = tuple(
        name
        for name in columns(CLASSES)
        if name not in ("person", "roll", "size", "quality", "valence", "arousal")
    )
    clip = [
        [
            {name: value for name, value in row.items() if name in old}
            for row in frame_rows_of("x.mp4", n, (0, "", "sad"))
        ]
        for n in range(4)
    ]
    written = report_annotated(tmp_path, write_records(tmp_path / "records.csv", clip, old))
    headings, _, track = Page(written.page.read_text()).tables["Who is seen in x.mp4"]
    assert track[:3] == ["track\xa00", "sad", "100 %"]
    assert headings[-1] == "seconds" and len(track) == len(headings), "no model gave valence and arousal"


@pytest.mark.parametrize("time", ["1e308", "-1e308", "inf", "nan", "9" * 400, "x"])
def test_times_that_are_none_cost_nothing_else(tmp_path, time):
    clip = [frame_rows_of("x.mp4", n, (0, "", "sad")) for n in range(4)]
    clip[2] = [{**row, "time": time} for row in clip[2]]
    written = report_annotated(tmp_path, write_records(tmp_path / "records.jsonl", clip))
    assert pd.read_csv(written.summary)["faces"].tolist() == [4, 0, 4, 4]


@pytest.mark.parametrize("name", ["loop", "a\0b", "\ud800", "x" * 5000, "..", "/etc/passwd"])
def test_a_copy_that_no_file_can_be_is_left_out(tmp_path, pictures, name):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "run.json").write_text(json.dumps({"fercomp": "1", "written": {name: "a.jpg"}}))
    written = report_annotated(tmp_path, write_records(tmp_path / "records.csv", pictures))
    assert "data:image" not in written.page.read_text()


def test_people_of_one_name_are_one_person(tmp_path, pictures):
    records = write_records(tmp_path / "records.csv", pictures)
    write_people(tmp_path / "people.csv", {}, {0: "Anna", 1: "Anna", 7: "Ben"})
    written = report_annotated(tmp_path, records)
    people = pd.read_csv(written.summary).query("of == 'person'")
    assert people[["person", "name", "faces"]].to_numpy().tolist() == [[0, "Anna", 15]]
    (anna,) = Page(written.page.read_text()).tables["Each person"][1:]
    assert anna[0] == "Anna\xa0(0)"


@pytest.mark.parametrize("text", ["", "a,b\n", "\0", "file,status\n", '"file'])
def test_something_else_than_records_is_refused(tmp_path, text):
    (tmp_path / "records.csv").write_text(text)
    with pytest.raises(FercompError, match=r"records.csv .*--report again"):
        report_annotated(tmp_path, tmp_path / "records.csv")


@pytest.mark.parametrize("name", ["report.html", "summary.csv"])
def test_a_file_of_somebody_else_is_not_replaced(tmp_path, pictures, name):
    records = write_records(tmp_path / "records.csv", pictures)
    (tmp_path / name).write_text("mine")
    with pytest.raises(FercompError, match=f"{name} would be replaced"):
        report_annotated(tmp_path, records)
    assert (tmp_path / name).read_text() == "mine"
    report_annotated(tmp_path, records, force=True)
    report_annotated(tmp_path, records)


@pytest.mark.slow
def test_five_thousand_tracks_make_a_page_of_moderate_size(tmp_path):
    rng = np.random.default_rng(0)
    emotions = rng.choice(ANSWERS, 20_000)
    clip = [
        frame_rows_of(
            "crowd.mp4", n, *((track, "", emotions[n + track]) for track in range(5 * n, 5 * n + 10))
        )
        for n in range(1000)
    ]
    begin = time.process_time()
    written = report_annotated(tmp_path, write_records(tmp_path / "records.csv", clip))
    assert time.process_time() - begin < 20
    assert written.size < 300_000
    summary = pd.read_csv(written.summary)
    assert (summary["of"] == "track").sum() == 5005
    assert (
        "4,993 more of those who are seen for a shorter time: see summary.csv."
        in Page(written.page.read_text()).text
    )


def test_pieces_show_what_lasts_longest_and_leave_gaps():
    shown = ribbon_pieces(
        [(10, 20, "happy"), (20, 20.01, "sad"), (20.01, 25, "happy"), (30, 40, "sad")], 10, 30
    )
    assert [emotion for _, _, emotion in shown] == ["happy", "sad"]
    assert shown[0][:2] == pytest.approx((0, 0.5), abs=1 / PIECES)
    assert shown[1][:2] == pytest.approx((2 / 3, 1), abs=1 / PIECES)
    flicker = [(i / 100, (i + 1) / 100, ANSWERS[i % 3]) for i in range(100_000)]
    assert len(ribbon_pieces(flicker, 0, 1000)) <= PIECES
    assert ribbon_pieces([], 0, 1) == []


@pytest.mark.slow
def test_the_command_writes_both_with_a_frame_of_the_clip(
    tiny_bundle_folder, tmp_path, write_clip, monkeypatch
):
    from typer.testing import CliRunner

    from fercomp.cli.app import app
    from tests.drawn import draw_face

    monkeypatch.chdir(tmp_path)
    drawn = draw_face("happy", np.random.default_rng(1), 160)
    (tmp_path / "media").mkdir()
    write_clip(tmp_path / "media" / "clip.mp4", [drawn] * 5)
    Image.fromarray(drawn).save(tmp_path / "media" / "photo.png")
    words = ["annotate", "media", "--model", str(tiny_bundle_folder), "--detector", "whole", "-o", "out"]
    done = CliRunner().invoke(app, [*words, "--report", "--records", "jsonl"])
    assert done.exit_code == 0, done.output
    assert "out/report.html: " in done.output
    page = Page((tmp_path / "out" / "report.html").read_text())
    images = [attributes["src"] for tag, attributes in page.tags if tag == "img"]
    assert len(images) == 2
    assert all(base64.b64decode(image.partition(",")[2]).startswith(b"\xff\xd8") for image in images)
    assert pd.read_csv(tmp_path / "out" / "summary.csv").query("of == 'all'")["faces"].tolist() == [6]
    again = CliRunner().invoke(app, [*words, "--report", "--shard", "1/2"])
    assert again.exit_code == 1
    assert "--report needs the records of all shards" in str(again.exception)
