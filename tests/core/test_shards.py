from collections import Counter

import pytest

from fercomp.core.errors import FercompError
from fercomp.core.shards import Shard, require_all_shards, shards_beside, told_few


def test_everything_is_in_one_shard_and_all_are_about_as_large():
    names = [f"folder/{i}.jpg" for i in range(4000)]
    number = Counter(Shard.holding(name, 8).number for name in names)
    assert sorted(number) == list(range(1, 9))
    assert all(400 < n < 600 for n in number.values())
    assert all(sum(Shard(k, 8).holds(name) for k in range(1, 9)) == 1 for name in names[:50])


def test_where_a_name_falls_is_the_same_on_every_machine_and_in_every_version():
    """Otherwise a later version would do again, and merge, what an earlier one had in another shard."""
    assert [Shard.holding(name, 16).number for name in ("a.jpg", "b/c.png", "ünïcode, name.jpg")] == [
        11,
        16,
        8,
    ]


@pytest.mark.parametrize("text", ["1/1", "3/16", "16/16", "10000/10000"])
def test_what_a_user_types(text):
    assert str(Shard.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "x", "3", "0/4", "5/4", "-1/4", "1/0", "1/2/3", " 1/2", "\u0661/2", "1/10001", "1/" + "9" * 5000],
)
def test_what_is_no_shard(text):
    with pytest.raises(FercompError, match="expected K/N with K from 1 to N"):
        Shard.parse(text)


def test_the_shards_that_are_there(tmp_path):
    whole = tmp_path / "records.csv"
    for name in ("1-of-3", "3-of-3", "0-of-3", "4-of-3", "2-of-3.1", "x-of-3", "99999999999-of-3"):
        (tmp_path / f"records.shard-{name}.csv").touch()
    (tmp_path / "records.shard-2-of-3.csv").mkdir()
    assert shards_beside(whole) == [Shard(1, 3), Shard(3, 3)]
    with pytest.raises(FercompError, match="lacks the shard 2 of 3"):
        require_all_shards(whole)
    Shard(1, 2).beside(whole).touch()
    with pytest.raises(
        FercompError, match="has shards of 2 and 3: remove the files of all divisions but one"
    ):
        require_all_shards(whole)


def test_few_of_many():
    assert told_few([1]) == "1"
    assert told_few([1, 2, 3]) == "1, 2 and 3"
    assert told_few(range(20)) == "0, 1, 2, 3, 4, 5, 6, 7 and 12 more"
