"""What a model will score: told from its holdout, its rivals, its answers and the index."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from fercomp.core.classes import EMOTIONS
from fercomp.core.tables import PHOTOS, holdout_table, oof_table
from fercomp.modeling.bundle.card import CARD, HOLDOUT
from fercomp.stages.expected import ceiling_lines, choice, expected_score


def test_ranges_get_narrower_with_the_number_of_photos(workspace):
    found = expected_score(workspace.bundle("tiny"), workspace)
    assert (found.photos, found.models, found.price) == (20, 1, 0)
    widths = [ends.high - ends.low for ends in (found.holdout, found.private, found.public)]
    assert widths == sorted(widths) and widths[0] < widths[2]
    assert "20 test photos" in "\n".join(found.lines())


def test_without_an_index_the_holdout_alone_is_told(workspace):
    workspace.photos.unlink()
    found = expected_score(workspace.bundle("tiny"), workspace)
    assert found.photos == 0 and np.isnan(found.public.low)
    assert len(found.lines()) == 1
    assert ceiling_lines(workspace) == []


def rival(workspace, name, seed):
    """Writes a model that answers at random."""
    shutil.copytree(workspace.bundle("tiny"), workspace.bundle(name))
    table = holdout_table(EMOTIONS).read(workspace.bundle(name) / HOLDOUT)
    table[list(EMOTIONS)] = np.random.default_rng(seed).dirichlet(np.ones(9), len(table))
    holdout_table(EMOTIONS).write(table, workspace.bundle(name) / HOLDOUT)


def test_the_best_of_several_pays_for_it_and_a_refit_is_no_rival(workspace):
    for seed in range(6):
        rival(workspace, f"rival{seed}", seed)
    found = [expected_score(workspace.bundle(name), workspace) for name in ("tiny", "rival0", "rival1")]
    assert {each.models for each in found} == {7}
    scores = {
        path.parent.name: expected_score(path.parent, workspace).price
        for path in workspace.models.glob("*/card.json")
    }
    assert sum(price > 0 for price in scores.values()) >= 1
    best, price, among = choice(workspace)
    assert among == 7 and price == pytest.approx(max(scores.values()), abs=0.2)
    path = workspace.bundle("rival0") / CARD
    card = json.loads(path.read_text())
    path.write_text(json.dumps(card | {"trained": card["trained"] | {"refit_of": "tiny"}}))
    assert expected_score(workspace.bundle("rival1"), workspace).models == 6
    assert best in scores


def test_another_seed_of_a_refit_widens_the_range(workspace):
    before = expected_score(workspace.bundle("tiny"), workspace)
    path = workspace.bundle("tiny") / CARD
    card = json.loads(path.read_text())
    path.write_text(json.dumps(card | {"trained": card["trained"] | {"refit_of": "first"}}))
    after = expected_score(workspace.bundle("tiny"), workspace)
    assert after.private.high - after.private.low > before.private.high - before.private.low


def test_copies_and_a_cross_validation_tell_what_labels_allow(workspace):
    photos = PHOTOS.read(workspace.photos)
    labelled = photos[photos["split"] != "test"].copy()
    copies = pd.concat([labelled.assign(image_path="again/" + labelled["image_path"]), labelled])
    PHOTOS.write(copies, workspace.photos)
    copies.loc[copies["image_path"].str.startswith("again/"), "emotion"] = (
        "sad"  # one opinion is as good as none
    )
    PHOTOS.write(copies, workspace.photos)
    (line,) = ceiling_lines(workspace)
    agree = (labelled["emotion"] == "sad").mean()
    assert (
        f"by {len(copies)} photos: two labels of the very same file agree in {agree:.3f} of the cases" in line
    )
    assert line.startswith(f"labels allow {agree:.3f} to 0.")
    shutil.copytree(workspace.bundle("tiny"), workspace.bundle("crossval"))
    table = copies[["image_path", "emotion"]].reset_index(drop=True)
    table[list(EMOTIONS)] = 0.82 * np.eye(9)[table["emotion"].map(EMOTIONS.index)] + 0.02
    oof_table(EMOTIONS).write(table, workspace.oof)
    (line,) = ceiling_lines(workspace)
    assert line.startswith("labels allow 1.000 to 1.000")
    assert line.endswith(f"agree in {agree:.3f} of the cases, and from the networks of `crossval`")
    oof_table(EMOTIONS).write(table.iloc[1:], workspace.oof)
    assert ceiling_lines(workspace)[0].endswith("of the cases")
    (workspace.bundle("crossval") / "card.json").unlink()  # a table alone, such as one copied from elsewhere
    assert ceiling_lines(workspace)[0].endswith("of the cases")
