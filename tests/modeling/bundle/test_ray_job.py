import re

import pytest

from fercomp.core.errors import FercompError
from fercomp.core.parallel import limit_threads, thread_limit
from fercomp.modeling.bundle.find import CAME_ALONG
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.bundle.ray_job import ModelJob, known_as


@pytest.fixture
def job(tmp_path, write_model):
    for name in ("photo.jpg", "run.json"):
        (tmp_path / name).write_text(name)
    bundle = load_bundle(write_model(tmp_path / "model"))
    where = {"sample": tmp_path / "photo.jpg", "same": tmp_path / "run.json"}
    return ModelJob(bundle=bundle.folder, fingerprint=bundle.fingerprint, device="cpu", threads=1, **where)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda job: job.sample.unlink(),
            "does not see .*photo.jpg: it has to be on a disk that all nodes see",
        ),
        (lambda job: job.same.unlink(), "does not see the same .*run.json"),
        (lambda job: job.same.write_text("of another disk"), "does not see the same .*run.json"),
        (lambda job: (job.bundle / "card.json").unlink(), "cannot use the model .*card.json"),
        (lambda job: object.__setattr__(job, "fingerprint", "x"), "has another model in .*model"),
        (
            lambda job: object.__setattr__(job, "version", "9.9"),
            r"has fercomp 0.*, this machine 9.9: install",
        ),
    ],
)
def test_a_node_says_what_is_other_there(job, change, told):
    assert job.wrong() == ""
    change(job)
    assert re.search(told, job.wrong())


def test_models_that_come_with_the_package_are_known_by_name(job):
    assert known_as(CAME_ALONG["shipped"]) == "shipped"
    assert known_as(job.bundle) == job.bundle


def test_an_actor_takes_its_threads(job):
    try:
        assert job.begin().fingerprint == job.fingerprint
        assert thread_limit() == 1
    finally:
        limit_threads(None)
    job.sample.unlink()
    with pytest.raises(FercompError, match=r"the Ray node \S* does not see"):
        job.begin()
