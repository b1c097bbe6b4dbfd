"""What a node has to see, whoever asks it."""

from dataclasses import replace

import pytest

from fercomp.core.errors import FercompError
from fercomp.core.ray.job import SharedJob


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"version": "0.0.1"}, r"has fercomp \S+, this machine 0\.0\.1: install the same on both"),
        ({"sample": "gone.jpg"}, r"does not see \S*gone\.jpg: it has to be on a disk that all nodes see"),
        ({"same": "changed.csv"}, r"does not see the same \S*changed\.csv: it has to be on a disk"),
        ({"same": "gone.csv"}, r"does not see the same \S*gone\.csv"),
    ],
)
def test_a_node_that_sees_something_else_says_so(tmp_path, other, told):
    for name in ("photo.jpg", "index.csv", "changed.csv", "gone.csv"):
        (tmp_path / name).write_text("as it was")
    paths = {"sample": "photo.jpg", "same": "index.csv"} | other
    job = SharedJob(threads=1, sample=tmp_path / paths["sample"], same=tmp_path / paths["same"])
    if "version" in other:
        object.__setattr__(job, "version", other["version"])
    (tmp_path / "changed.csv").write_text("of another disk")
    (tmp_path / "gone.csv").unlink()
    with pytest.raises(FercompError, match=rf"^the Ray node \S+ {told}"):
        job.prepare()
    assert replace(job, sample=tmp_path / "photo.jpg", same=tmp_path / "index.csv").wrong() == ""
