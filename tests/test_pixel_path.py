"""One road for a face: the same photo is the same bytes for the network, in training and everywhere else."""

import numpy as np
import pytest
from PIL import Image

from fercomp.core.classes import EMOTIONS
from fercomp.data.cache import PhotoCache
from fercomp.modeling.bundle.model import Bundle
from fercomp.modeling.training.batches import FaceBatches
from fercomp.modeling.training.training_set import TrainingSet
from tests.drawn import draw_face

SIZE = 32


@pytest.mark.parametrize(("width", "height", "mode"), [(48, 48, "L"), (350, 350, "RGB"), (133, 150, "RGB")])
def test_training_predict_and_annotate_see_the_same_bytes(
    width, height, mode, tmp_path, tiny_bundle_folder, monkeypatch
):
    from fercomp.annotate.batch import annotate_media
    from fercomp.annotate.options import Options
    from fercomp.modeling.bundle.predict import predict_table

    (tmp_path / "photos").mkdir()
    face = Image.fromarray(draw_face("happy", np.random.default_rng(0), 350))
    face.resize((width, height)).convert(mode).save(tmp_path / "photos" / "face.jpg")
    seen = []
    network = Bundle.answer

    def watched(self, faces, **how):
        seen.append(faces.copy())
        return network(self, faces, **how)

    monkeypatch.setattr(Bundle, "answer", watched)
    bundle = Bundle(tiny_bundle_folder)
    targets = np.eye(len(EMOTIONS), dtype=np.float32)[:1]
    taught = TrainingSet(("face.jpg",), targets, None, ("",))
    cache = PhotoCache(tmp_path / "decoded")
    for kept in (None, cache, cache):
        batches = FaceBatches(taught, tmp_path / "photos", SIZE, batch_size=1, cache=kept, seed=0)
        seen.append(batches[0][0])
        predict_table(bundle, tmp_path / "photos", ["face.jpg"], kept)
    annotate_media(tmp_path / "photos", tmp_path / "annotated", bundle, Options(detector="whole"))
    assert len(seen) == 7
    assert seen[0].shape == (1, SIZE, SIZE, 3)
    assert seen[0].std() > 10
    for other in seen[1:]:
        assert other.tobytes() == seen[0].tobytes()
