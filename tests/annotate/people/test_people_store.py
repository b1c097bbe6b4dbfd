"""`people-data`, which may be damaged, or hold what somebody else has put there."""

import io

import numpy as np
import pytest

from fercomp.annotate.people.run import RunPeople
from fercomp.annotate.people.sightings import sighting_rows
from fercomp.annotate.people.store import PeopleData
from fercomp.core.errors import FercompError
from fercomp.core.shards import Shard
from fercomp.modeling.training.array_cache import read_kept


def zipped():
    file = io.BytesIO()
    np.savez(file, np.zeros(3))
    return file.getvalue()


DAMAGED = {
    "a zip": zipped(),
    "the beginning of a zip": zipped()[:20],
    "a header without an end": b"\x93NUMPY\x01\x00\x10\x00{'descr': '[((((",
    "a pickle": b"\x80\x04K\x01.",
    "nothing": b"",
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_what_is_no_array_is_told(tmp_path, data):
    people = PeopleData(tmp_path)
    people.folder.mkdir()
    (people.folder / "people.npy").write_bytes(data)
    with pytest.raises(FercompError, match=r"people.npy is damaged .*: remove .*people-data and run again"):
        people.known()
    assert read_kept(people.folder / "people.npy", (1, 1)) is None


@pytest.mark.parametrize("numbers", [[3, 3], [-1, 0], [2**63 - 1, 0]])
def test_numbers_that_no_two_people_can_have_are_told(tmp_path, numbers):
    people = PeopleData(tmp_path)
    people.write_known(np.array(numbers), np.zeros((2, 512)))
    with pytest.raises(FercompError, match="no numbers of their own"):
        people.known()
    people.write_known(np.array([7, 3]), np.zeros((2, 512)))
    assert people.known()[0].tolist() == [7, 3]


def test_embeddings_that_are_taken_while_they_are_written_are_there_again(tmp_path):
    shard = Shard(1, 2)  # of which nobody is numbered yet
    people, data = RunPeople(tmp_path, shard), PeopleData(tmp_path, shard)
    people.begin(())
    people.keep(())
    with people.adding():
        people.add(sighting_rows("a.jpg", []))
        data.table.path.unlink()
        people.finish(data.table)
    assert list(data.index()) == ["a.jpg"]


def test_only_pictures_of_people_are_removed(tmp_path):
    people = PeopleData(tmp_path)
    people.folder.mkdir()
    people.picture_of(1).mkdir()
    for name in ("person-2.jpg", "person-3.jpg", "person-x.jpg", "me.jpg"):
        (people.folder / name).touch()
    people.remove_others({3})
    assert sorted(path.name for path in people.folder.iterdir()) == [
        "me.jpg",
        "person-1.jpg",
        "person-3.jpg",
        "person-x.jpg",
    ]
