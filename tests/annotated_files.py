"""What tests of `annotate --report` share: records of a clip with people and tracks, and of photos."""

from fercomp.annotate.records.file import Records
from fercomp.annotate.records.rows import columns, problem_row

CLASSES = ("happy", "sad")
ANSWERS = ("happy", "sad", "uncertain")
NAME = '<img src=x onerror=alert(1)>"&'


def face_row(file, i, emotion, faces=1, **more):
    row = {"file": file, "status": "face", "face": i, "faces": faces, "emotion": emotion, **more}
    return {name: str(value) for name, value in row.items()}


def frame_rows_of(file, n, *shown, rate=10):
    """A frame: the emotions of its faces by track, and perhaps by person."""
    moment = {"frame": str(n), "time": f"{n / rate:.6f}"}
    if not shown:
        return [{"file": file, "status": "no_face", "faces": "0", **moment}]
    return [
        face_row(file, i, emotion, len(shown), track=track, person=person, **moment)
        for i, (track, person, emotion) in enumerate(shown)
    ]


def write_records(path, pictures, header=None):
    records = Records(path, header or columns(CLASSES), "jsonl" if path.suffix == ".jsonl" else "csv")
    records.rewrite([])
    with records:
        for rows in pictures:
            records.append(rows)
    return path


def some_pictures():
    """A clip of two people in three tracks, one without faces, two photos, and a file that is none."""
    clip = [
        frame_rows_of(
            f"{NAME}.mp4", n, (0, 0, "happy" if n < 6 else "sad"), *([(1, "", "uncertain")] if n < 3 else [])
        )
        for n in range(8)
    ]
    later = [frame_rows_of(f"{NAME}.mp4", n, (2, 0, "happy")) for n in range(20, 25)]
    return [
        *clip,
        *later,
        *(frame_rows_of("empty.mov", n) for n in range(3)),
        [face_row("a.jpg", 0, "sad", person=0, valence=0.5, arousal=-0.25)],
        [
            face_row("b.jpg", 0, "happy", 2, person=1, valence=-1, arousal=0),
            face_row("b.jpg", 1, "sad", 2, valence=0, arousal=0.5),
        ],
        [{"file": "none.jpg", "status": "no_face", "faces": "0"}],
        [problem_row("bad.jpg", "not_an_image")],
    ]
