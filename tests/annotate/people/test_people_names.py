"""`people.csv`, which users edit."""

import csv

import pytest

from fercomp.annotate.people.names import PersonCount, read_names, read_written, write_people
from fercomp.core.errors import FercompError


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("person,name\n0,Anna\n1,\n", {0: "Anna"}),
        ('\ufeffname;frames;person\r\n"Łukasz; Jr.";3; 12 \r\n', {12: "Łukasz; Jr."}),
        ("person\tname\n7\t  two   words \n", {7: "two words"}),
        ('person,name\n0,"=1+1"\n1,<script>\n', {0: "=1+1", 1: "<script>"}),
        (f"person,name,,\n0,{'x' * 200},,,,\n1,,\n", {0: "x" * 200}),
        ("person,name\n,\n0,Anna\n,,,\n\n", {0: "Anna"}),
        ('person,name\r0,"Anna\rMaria"\r1,Ben\r', {0: "Anna Maria", 1: "Ben"}),
        ("", {}),
    ],
)
def test_names_of_any_spreadsheet(tmp_path, text, names):
    (tmp_path / "people.csv").write_text(text, encoding="utf-8", newline="")
    assert read_names(tmp_path / "people.csv") == names


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("person,who\n0,Anna\n", "row 2 has the person '0' and the name None"),
        ("person,name\n-1,Anna\n", "row 2 has the person '-1'"),
        ("person,name\n1.0,Anna\n", "row 2"),
        ("person,name\n2\n", "row 2"),
        ("person,name\n3,Anna\n3,Ben\n", "has the person 3 twice"),
        ("person,name,note\n3,Anna,here\n03,Anna,there\n", "has the person 3 twice"),
        ("person,name,note,note\n3,Anna,here,there\n", "has the column note twice"),
        ("person,name,name\n3,Anna,\n", "has the column name twice"),
        ("person,name,\n3,Anna,here\n", "row 2 has 'here' in a column without a heading"),
        ("person,name\n3,Anna\n4,Ben, here\n", "row 3 has ' here' in a column without a heading"),
        (f"person,name\n3,{'x' * 201}\n", "the person 3 a name of 201 characters, at most 200 were exp"),
        ('person,name\n3,"An', "is not a CSV table"),
        ("\0\0\0\nx", "row 2"),
        ("[]", "has no columns person and name"),
        ("\0" * 100, "has no columns person and name"),
    ],
)
def test_another_table_is_refused_in_one_line(tmp_path, text, told):
    (tmp_path / "people.csv").write_text(text)
    with pytest.raises(FercompError, match=told) as error:
        read_names(tmp_path / "people.csv")
    assert "mend it, or remove it" in str(error.value)
    assert (tmp_path / "people.csv").read_text() == text


@pytest.mark.parametrize(
    "file", ['=HYPERLINK("http://x.test").jpg', "@SUM(1).jpg", "+1.jpg", "-1.jpg", "a=1.jpg"]
)
def test_the_name_of_a_file_is_no_formula(tmp_path, file):
    write_people(tmp_path / "people.csv", {0: PersonCount(1, 0, 1, file)}, {})
    with (tmp_path / "people.csv").open() as lines:
        (row,) = csv.DictReader(lines)
    assert row["first"] == (file if file[0] == "a" else f"./{file}")


def test_no_letter_of_a_name_is_lost(tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes("person,name\n0,Zoë\n".encode("cp1252"))
    with pytest.raises(FercompError, match=r"is not UTF-8 .* at byte 16.: save it as CSV UTF-8"):
        read_names(path)
    path.write_text("person\tname\n0\tZoë\n", encoding="utf-16")
    assert read_names(path) == {0: "Zoë"}


def test_what_a_user_has_added_stays(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text('phone;name;person;frames;\n"1,2";Anna;3;9\n5;;4;\n7;;5;1;;;\n;;6;1\n')
    written = read_written(path)
    assert written == {3: "Anna", 4: "", 5: ""}
    write_people(path, {2: PersonCount(1, 0, 1, "a.jpg"), 4: PersonCount()}, written)
    assert path.read_text() == (
        "person,name,frames,seconds,files,first,phone\n2,,1,0.00,1,a.jpg,\n"
        '3,Anna,0,0.00,0,,"1,2"\n4,,0,0.00,0,,5\n5,,0,0.00,0,,7\n'
    )
    path.write_text("person,name,note\n")
    write_people(path, {}, read_written(path))
    assert path.read_text() == "person,name,frames,seconds,files,first,note\n"


def test_everybody_who_is_seen_or_named_is_listed(tmp_path):
    path = tmp_path / "people.csv"
    write_people(path, {1: PersonCount(30, 1.2, 2, "a, b.mp4")}, {4: 'An "A"', 1: "Ben"})
    assert path.read_text() == (
        'person,name,frames,seconds,files,first\n1,Ben,30,1.20,2,"a, b.mp4"\n4,"An ""A""",0,0.00,0,\n'
    )
    assert read_names(path) == {1: "Ben", 4: 'An "A"'}
    before = path.stat()
    write_people(path, {1: PersonCount(30, 1.2, 2, "a, b.mp4")}, {4: 'An "A"', 1: "Ben"})
    assert path.stat() == before, "the same content is left alone"
