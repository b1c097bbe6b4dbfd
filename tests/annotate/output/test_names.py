import string
from pathlib import Path
from types import MappingProxyType

from hypothesis import given
from hypothesis import strategies as st

from fercomp.annotate.output.names import MOST_NAME_BYTES, RESERVED, fitted, output_names
from fercomp.annotate.sources.found import Found, Photo, Video

SUFFIXES = (".jpg", ".JPG", ".png", ".heic", ".mp4", ".mov", ".mov.mp4", ".timeline.png", "", ".csv", ".json")


def source(file):
    kind = Video if file.lower().endswith((".mp4", ".mov")) else Photo
    return kind(Path(file), file)


def written(files, owners=MappingProxyType({})):
    sources = Found.of(source(file) for file in files)
    names = output_names(sources, owners)
    return {file: names.of(file) for file in sources.files}


def test_names_are_those_of_the_originals_where_nothing_is_in_the_way():
    names = written(["a/b.jpg", "c.mov", "d.mp4", "e.heic", "scan"])
    assert [n.copy for n in names.values()] == ["a/b.jpg", "c.mp4", "d.mp4", "e.heic.jpg", "scan.png"]
    assert names["c.mov"].timeline == "c.timeline.png"


def test_what_would_meet_is_told_apart():
    names = written(
        ["a.mov", "a.mp4", "a.timeline.png", "a.mov.mp4", "b.mp4", "b.timeline.png", "x.jpg", "X.JPG"]
    )
    assert names["a.mov"].copy == "a.mov.mp4"
    assert names["a.mp4"].copy == "a.mp4.mp4"
    assert names["a.mov.mp4"].copy == "a.mov (2).mp4"
    assert names["b.timeline.png"].copy == "b.timeline.png"
    assert names["b.mp4"] == ("b (2).mp4", "b (2).timeline.png")
    assert (names["X.JPG"].copy, names["x.jpg"].copy) == ("X.JPG", "x (2).jpg")


def test_what_is_on_record_of_another_file_is_not_taken():
    owners = {"a.mp4": "a.mov", "a.timeline.png": "a.mov", "X.png": "X", "b.mp4.mp4": "b.mp4"}
    files = ["a.mp4", "a.mov", "x.png", "b.mp4", "c.mp4"]
    names = written(files, owners)
    copies = {file: of_one.copy for file, of_one in names.items()}
    assert copies == {
        "x.png": "x (2).png",
        "a.mp4": "a.mp4.mp4",
        "a.mov": "a.mp4",
        "b.mp4": "b.mp4.mp4",
        "c.mp4": "c.mp4",
    }


@given(
    st.lists(
        st.tuples(
            st.text(string.ascii_letters + "é .~()2", min_size=1, max_size=3),
            st.integers(0, 260),
            st.sampled_from(SUFFIXES),
        ),
        max_size=12,
    )
)
def test_no_two_sources_ever_share_a_file_and_none_has_too_long_a_name(parts):
    files = {f"{stem}{'x' * longer}{suffix}" for stem, longer, suffix in parts}
    all_names = [name for names in written(sorted(files)).values() for name in names.all()]
    folded = {name.casefold() for name in all_names} | {name.casefold() for name in RESERVED}
    assert len(folded) == len(all_names) + len(RESERVED)
    assert all(len(part.encode()) <= MOST_NAME_BYTES for name in all_names for part in name.split("/"))


def test_a_long_name_keeps_its_beginning_and_suffix():
    name = fitted("folder/" + "é" * 200 + ".timeline.png")
    folder, _, rest = name.partition("/")
    assert folder == "folder"
    assert rest.startswith("é" * 100)
    assert rest.endswith(".timeline.png")
    assert len(rest.encode()) <= MOST_NAME_BYTES
    assert fitted("é" * 200 + "1.jpg") != fitted("é" * 200 + "2.jpg")


def test_a_number_that_another_photo_has_is_left_out():
    names = written(["X.jpg", "x (2).jpg", "X (3).jpg", "x.jpg"])
    assert {file: one.copy for file, one in names.items() if one.copy != file} == {"x.jpg": "x (4).jpg"}
