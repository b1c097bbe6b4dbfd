import numpy as np
import pytest

from fercomp.annotate.recognise.clip_recogniser import ClipRecogniser
from fercomp.faces.detect import make_detector
from fercomp.media.clips import Frame
from fercomp.modeling.bundle.model import load_bundle


@pytest.mark.parametrize(("flip", "every", "mirrored"), [(True, 1, [1, 3]), (True, 2, [2]), (False, 1, [])])
def test_every_other_classified_frame_shows_a_mirror_image(
    write_model, tmp_path, faces, flip, every, mirrored
):
    """In place of both in each frame, where the model averages over both."""
    folder = write_model(tmp_path / "model", flip=flip)
    plain = load_bundle(write_model(tmp_path / "plain"))
    recogniser = ClipRecogniser(load_bundle(folder), lambda: make_detector("whole"), every)
    frames = [Frame(i, i / 25, i, faces[0]) for i in range(4)]
    followed = [recogniser.follow(frame, recogniser.detect(frame)) for frame in frames]
    for i, named in enumerate(recogniser.name(followed)):
        assert named.frame is frames[i]
        assert named.faces.tracks.tolist() == [0]
        if i % every:
            assert np.isnan(named.faces.raw).all()
            continue
        (inputs,) = followed[i].inputs
        expected = plain.predict(inputs[:, :, ::-1] if i in mirrored else inputs)
        np.testing.assert_allclose(named.faces.raw, expected, atol=1e-6)
    assert np.abs(plain.predict(inputs) - plain.predict(inputs[:, :, ::-1])).max() > 1e-3
