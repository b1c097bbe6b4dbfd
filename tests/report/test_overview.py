"""Pictures of the photos that `prepare` writes."""

import pandas as pd
import pytest
from PIL import Image

from fercomp.core.classes import EMOTIONS
from fercomp.core.tables import PHOTOS
from fercomp.report.overview import contradicting, write_overview


@pytest.fixture
def photos(workspace):
    """The tiny index, in which three pictures have copies, two of them under several labels."""
    photos = PHOTOS.read(workspace.photos)
    for group, emotions in enumerate((("anger", "sad"), ("happy", "happy"), ("fear", "happy", "sad"))):
        for copy, emotion in enumerate(emotions):
            row = photos.index[(photos["emotion"] == emotion) & (photos["split"] == "train")][
                2 * group + copy
            ]
            photos.loc[row, "duplicate_group"] = 1000 + group
    return photos


@pytest.mark.slow
def test_each_class_has_a_sheet_and_contradicting_copies_too(photos, workspace):
    photos = photos[photos["emotion"] != "contempt"]
    write_overview(photos, workspace.raw, workspace.overview)
    found = {path.name for path in workspace.overview.iterdir()}
    sheets = {f"class-{emotion}.png" for emotion in EMOTIONS if emotion != "contempt"}
    assert found == {"sizes.png", "classes.png", "copies.png", *sheets}
    for name in found:
        with Image.open(workspace.overview / name) as picture:
            assert picture.convert("L").getextrema()[0] < 100 < picture.width


def test_the_same_photos_give_the_same_pictures_and_missing_ones_are_left_out(photos, workspace, tmp_path):
    photos = photos[photos["emotion"].isin(["sad", "happy"])]
    for path in photos.loc[photos["emotion"] == "sad", "image_path"]:
        (workspace.raw / path).unlink()
    for folder in ("one", "two"):
        write_overview(photos, workspace.raw, tmp_path / folder)
    one, two = ({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert one == two
    assert set(one) == {"sizes.png", "classes.png", "class-happy.png", "copies.png"}


@pytest.mark.slow
def test_a_photo_may_have_any_name(photos, workspace):
    name = "train/sad/$x^ 日本.jpg"
    sad = photos.index[photos["emotion"] == "sad"][0]
    (workspace.raw / photos.loc[sad, "image_path"]).rename(workspace.raw / name)
    photos.loc[sad, "image_path"] = name
    write_overview(photos, workspace.raw, workspace.overview)
    assert (workspace.overview / "class-sad.png").is_file()


def test_contradicting_copies_stand_together(photos):
    labelled = photos[photos["split"] != "test"]
    rows = contradicting(labelled)
    assert sorted(rows["duplicate_group"].tolist()) == [1000] * 2 + [1002] * 3
    assert (rows["duplicate_group"].diff().fillna(0) != 0).sum() == 1
    assert contradicting(labelled[labelled["duplicate_group"] < 1000]).empty
    pd.testing.assert_frame_equal(rows, contradicting(labelled))
