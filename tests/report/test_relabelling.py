import pandas as pd

from fercomp.report.relabelling import summary


def test_only_counted_copies_can_tie():
    rows = [  # picture, given label, recompressed
        (1, "happy", 0),
        (1, "sad", 0),
        (2, "happy", 0),
        (2, "sad", 1),
        (3, "fear", 0),
        (3, "fear", 0),
        (4, "anger", 1),
        (4, "fear", 1),
    ]
    photos = pd.DataFrame(rows, columns=["duplicate_group", "emotion", "recompressed"])
    photos["image_path"] = [f"train/{i}.jpg" for i in range(len(rows))]
    labels = photos[["image_path", "emotion"]].assign(suggested=photos["emotion"], quality=0.5, reason="")
    told = summary(labels, photos.sample(frac=1, random_state=0)).splitlines()[1]
    assert told.startswith("3 pictures with several labels on copies; in 2 of them no label is the")
