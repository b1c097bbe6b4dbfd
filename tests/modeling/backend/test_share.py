"""What processes hand over makes up the whole batch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercomp.core.params import AugmentParams, TrainParams
from fercomp.core.tables import PHOTOS
from fercomp.modeling.backend.share import ALONE, Sharing
from fercomp.modeling.training.batches import FaceBatches
from fercomp.modeling.training.features import FeatureBatches
from fercomp.modeling.training.training_set import training_data


def shares(processes, each):
    return [Sharing(processes * each, processes, number) for number in range(processes)]


@given(n=st.integers(1, 70), batch=st.integers(1, 40), processes=st.integers(1, 5), each=st.integers(1, 4))
def test_every_photo_is_handed_over_once_and_devices_have_equal_numbers(n, batch, processes, each):
    starts = range(0, n, batch)
    handed = []
    for start in starts:
        size, parts = min(batch, n - start), []
        for share in shares(processes, each):
            own = share.own(size, batch)
            parts.append(share.filled(1 + start + own, size, batch))
        assert {len(part) for part in parts} == {parts[0].size}
        assert parts[0].size % each == 0
        np.testing.assert_array_equal(np.concatenate(parts)[:size], 1 + start + np.arange(size))
        handed.append(np.concatenate(parts))
    np.testing.assert_array_equal(share.stripped(np.concatenate(handed), n, batch), 1 + np.arange(n))
    # A compiled step tells a full batch from the last one by its padded number.
    assert len({share.padded(min(batch, n - start), batch) for start in starts}) == len(
        {min(batch, n - s) for s in starts}
    )


@pytest.mark.parametrize("blends", [(0.0, 0.0), (0.4, 0.4)])
@pytest.mark.parametrize(("processes", "each"), [(2, 1), (3, 2), (4, 2)])
def test_photos_are_changed_and_blended_as_in_one_process(tiny_workspace, processes, each, blends):
    photos = training_data(TrainParams(), PHOTOS.read(tiny_workspace.photos)).train
    changes = AugmentParams(noise=0.3, blur=0.5, cover=0.5, grey=0.2, perspective=0.2, erase=0.5)

    def batches(share):
        made = FaceBatches(
            photos, tiny_workspace.raw, 24, 10, None, 3, changes, blends[0], blends[1], share=share
        )
        made.start_epoch(1)
        return made

    whole, parts = batches(ALONE), [batches(share) for share in shares(processes, each)]
    for i in (0, 1, len(whole) - 1):
        for expected, *handed in zip(whole[i], *(part[i] for part in parts), strict=True):
            found = np.concatenate(handed)
            np.testing.assert_array_equal(found[: len(expected)], expected)
            assert not found[len(expected) :].any()


def test_features_are_shared_likewise():
    views = [np.arange(22, dtype=np.float32).reshape(11, 2)]
    targets = np.eye(11, dtype=np.float32)
    whole = FeatureBatches(views, targets, 4, 1)
    parts = [FeatureBatches(views, targets, 4, 1, share) for share in shares(3, 1)]
    for i in range(3):
        for expected, *handed in zip(whole[i], *(part[i] for part in parts), strict=True):
            np.testing.assert_array_equal(np.concatenate(handed)[: len(expected)], expected)


def test_a_photo_is_decoded_where_it_is_needed_only(tiny_workspace, monkeypatch):
    photos = training_data(TrainParams(), PHOTOS.read(tiny_workspace.photos)).train
    share, read = Sharing(2, 2, 1), []
    batches = FaceBatches(photos, tiny_workspace.raw, 24, 10, None, 3, AugmentParams(), share=share)
    take = batches.faces
    monkeypatch.setattr(batches, "faces", lambda rows: read.append(len(rows)) or take(rows))
    batches[len(batches) - 1]
    assert (len(photos), read) == (63, [1])
