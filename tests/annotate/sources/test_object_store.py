import fsspec
import pytest

from fercomp.annotate.batch import annotate_media
from fercomp.annotate.sources.found import Photo
from fercomp.annotate.sources.object_store import RemotePhoto, bring
from fercomp.annotate.sources.places import find_places
from fercomp.core.errors import FercompError
from fercomp.media.problems import ImageProblem


@pytest.fixture
def store():
    store = fsspec.filesystem("memory")
    for name in ("a.jpg", "deep/b.PNG", "deep/c.mp4", "deep/.hidden.jpg", ".git/x.jpg", "docs/read.me"):
        store.pipe_file(f"/bucket/photos/{name}", name.encode())
    yield store
    store.rm("/bucket", recursive=True)


def test_photos_of_a_store_are_found_as_those_of_a_folder(store, tmp_path):
    sources = find_places(["memory://bucket/photos/"], tmp_path)
    assert [source.file for source in sources.found] == ["a.jpg", "deep/b.PNG"]
    assert sources.found[1].url == "memory://bucket/photos/deep/b.PNG"
    assert sources.url == "memory://bucket/photos/"
    assert sources.left_out == {"hidden": 2, ".mp4": 1, ".me": 1}
    before = sources.found[0].now()
    store.pipe_file("/bucket/photos/a.jpg", b"other")
    assert find_places(["memory://bucket/photos"], tmp_path).found[0].now() != before
    (one,) = find_places(["memory://bucket/photos/docs/read.me"], tmp_path).found
    assert (one.file, one.url) == ("read.me", "memory://bucket/photos/docs/read.me")


def test_addresses_may_stand_on_a_list(store, tmp_path):
    (tmp_path / "list.txt").write_text("memory://bucket/photos/deep/b.PNG\nmemory://bucket/other/gone.jpg\n")
    sources = find_places([tmp_path / "list.txt"], tmp_path)
    assert [source.file for source in sources.found] == ["other/gone.jpg", "photos/deep/b.PNG"]
    place = tmp_path / "0.png"
    assert bring(sources.found[1], place) == Photo(place, "photos/deep/b.PNG")
    assert place.read_bytes() == b"deep/b.PNG"
    with pytest.raises(ImageProblem, match=r"gone\.jpg does not come") as gone:
        bring(sources.found[0], place)
    assert gone.value.reason == "missing"


@pytest.mark.parametrize(
    ("places", "told"),
    [
        (["memory://bucket/nowhere"], "nowhere cannot be read"),
        (["nosuch://bucket/x"], "nosuch://bucket/x cannot be opened on .* install what fsspec needs"),
        (["memory://bucket/photos", "memory://other/photos"], "one store at a time"),
        (["memory://bucket/photos", "file.jpg"], "a store and files beside them"),
        (["memory://bucket/photos/docs"], "docs holds no photos"),
    ],
)
def test_what_cannot_be_found_there_is_told(store, tmp_path, places, told):
    with pytest.raises(FercompError, match=told):
        find_places(places, tmp_path)


def test_a_store_is_read_on_ray_only(store, tmp_path, bundle):
    with pytest.raises(FercompError, match="memory://bucket/photos/ is in an object store: only --on ray"):
        annotate_media("memory://bucket/photos", tmp_path / "out", bundle)


def test_a_store_that_cannot_be_opened_ends_the_work(tmp_path):
    with pytest.raises(FercompError, match="install what fsspec needs"):
        bring(RemotePhoto(tmp_path, "a.jpg", "nosuch://x/a.jpg"), tmp_path / "a.jpg")
