"""Photos that the nodes of a Ray cluster annotate.

Ray Data shares them out among actors, each of which is what `annotate` is on a machine of its own, and starts
those again that die. What actors find comes back here and is put on record at once, photo by photo. So the
records are what a run goes on from, here as on one machine, and either may go on where the other ended.
"""

import json
import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from fercomp.annotate.options import Options
from fercomp.annotate.output.folder import OutputFolder
from fercomp.annotate.output.run_file import RUN
from fercomp.annotate.people.embedder import require_embedder
from fercomp.annotate.photos import Done, annotate_photos
from fercomp.annotate.records.rows import problem_row
from fercomp.annotate.sources.found import Found, Photo
from fercomp.annotate.sources.object_store import RemotePhoto, bring
from fercomp.core.errors import FercompError
from fercomp.core.files import write_bytes
from fercomp.core.params import Wanted
from fercomp.core.progress import say
from fercomp.core.ray.actors import plan_actors, results
from fercomp.core.ray.cluster import connected
from fercomp.core.ray.nodes import on_each_node
from fercomp.media.problems import ImageProblem
from fercomp.modeling.bundle.model import Bundle
from fercomp.modeling.bundle.ray_job import ModelJob, known_as

if TYPE_CHECKING:
    import pyarrow

MOST_AT_ONCE: Final = 64
"""Photos that an actor gets together: enough to fill its threads, few enough to lose with it."""

FETCHERS: Final = 8
"""Photos of an object store that an actor fetches at once."""

_LEAST_AT_ONCE: Final = 8
_SHARES: Final = 8
"""Of a small job, each actor gets several parts, so that all end together."""


@dataclass(frozen=True, kw_only=True)
class PhotoJob(ModelJob):
    """What an actor is to know.

    Attributes:
        folder: The output folder.
        options: How to look, and what to write.
    """

    folder: Path
    options: Options

    def wrong(self) -> str:
        """Says what is other on this node than it should be; nothing where all is well."""
        if self.options.people:
            try:
                require_embedder()
            except FercompError as error:
                return f"cannot tell people apart ({error})"
        return super().wrong()


class Annotator:
    """An actor: detector and model in a process of a node.

    Raises:
        FercompError: The node does not see what it should, or the detector cannot be made.
    """

    def __init__(self, job: PhotoJob) -> None:
        bundle = job.begin()
        self._folder, options = job.folder, job.options
        self._people = options.people
        self._recogniser = options.recogniser(bundle)

    def __call__(self, photos: "pyarrow.Table") -> "pyarrow.Table":
        """Annotates photos: writes their copies, and returns their rows as JSON."""
        import pyarrow

        rows = photos.to_pylist()
        by_file = {row["file"]: row for row in rows}

        def write_copy(photo: Photo, copy: bytes) -> None:
            write_bytes(self._folder / by_file[photo.file]["copy"], copy)

        with TemporaryDirectory() as name:
            sources, done = self._here(rows, Path(name))
            for one in annotate_photos(sources, self._recogniser, write_copy, self._people):
                url = os.fsdecode(by_file[one.photo.file]["url"])
                told = one.told.replace(str(one.photo.path), url) if url else one.told
                done.append(replace(one, told=told))
        return pyarrow.table(
            {
                "number": [by_file[one.photo.file]["number"] for one in done],
                "rows": [json.dumps(one.rows) for one in done],
                "told": [json.dumps(one.told) for one in done],  # names need not be text
                "people": [json.dumps(one.people) for one in done],
                "kind": [self._recogniser.compared.told()] * len(done),
            }
        )

    def _here(self, rows: Sequence[Mapping[str, Any]], folder: Path) -> tuple[list[Photo], list[Done]]:
        """Returns the photos as files of this machine, and what is to say of those that do not come."""
        photos: list[Photo] = []
        remote: list[RemotePhoto] = []
        for row in rows:
            path, url = Path(os.fsdecode(row["path"])), os.fsdecode(row["url"])
            if url:
                remote.append(RemotePhoto(path, row["file"], url))
            else:
                photos.append(Photo(path, row["file"]))
        with ThreadPoolExecutor(FETCHERS) as pool:
            places = (folder / f"{number}{photo.path.suffix}" for number, photo in enumerate(remote))
            came = list(pool.map(_brought, remote, places))
        return [*photos, *(p for p in came if isinstance(p, Photo))], [d for d in came if isinstance(d, Done)]


def _brought(photo: RemotePhoto, place: Path) -> Photo | Done:
    try:
        return bring(photo, place)
    except ImageProblem as problem:
        return Done(photo, [problem_row(photo.file, problem.reason)], str(problem))


def annotate_on_ray(
    folder: OutputFolder, bundle: Bundle, options: Options, device: Wanted
) -> Generator[Done, None, None]:
    """Annotates photos as `annotate_photos` does, on a Ray cluster, and gives them as they come.

    Args:
        folder: Where everything goes, and which photos there are to do; all nodes see it.
        bundle: The trained model.
        options: How to look, and what to write.
        device: What is to answer; but for `cpu`, GPUs are used where the cluster has some.

    Raises:
        FercompError: There is no cluster, a node sees other files or has other versions, an actor cannot do
            its work at all, or not every photo has come back.
    """
    todo = folder.todo
    numbers = [number for number, file in enumerate(todo.files) if not todo.is_video(file)]
    if not numbers:
        return
    first, folder.by_others = todo[numbers[0]], True
    with connected():
        plan = plan_actors(device != "cpu")
        home = folder.folder.absolute()
        job = PhotoJob(
            bundle=known_as(bundle.folder),
            fingerprint=bundle.fingerprint,
            device=device,
            threads=plan.threads,
            sample=home / RUN if isinstance(first, RemotePhoto) else first.path.absolute(),
            same=home / RUN,
            folder=home,
            options=options,
        )
        on_each_node(PhotoJob.wrong, job)
        say(f"on Ray: {plan.told()}")
        waiting = set(numbers)
        kind = ""
        for part in results(_parts(todo, numbers, folder, plan.most), Annotator, job, plan):
            for row in part.to_pylist():
                photo = todo[row["number"]]
                if isinstance(photo, Photo) and row["number"] in waiting:
                    waiting.remove(row["number"])
                    rows, told, people = (json.loads(row[name]) for name in ("rows", "told", "people"))
                    yield Done(photo, rows, told, people)
                kind = kind or row["kind"]
        if kind:
            say(kind)
        if waiting:
            raise FercompError(
                f"{len(waiting):,} photos did not come back from Ray: give the same command again"
            )


def _parts(
    todo: Found, numbers: Sequence[int], folder: OutputFolder, actors: int
) -> Iterator["pyarrow.Table"]:
    """Gives the photos of these numbers as tables, each of which is the work of an actor for some time."""
    import pyarrow

    size = min(MOST_AT_ONCE, max(_LEAST_AT_ONCE, len(numbers) // (_SHARES * actors)))
    for begin in range(0, len(numbers), size):
        some = numbers[begin : begin + size]
        photos = [todo[number] for number in some]
        yield pyarrow.table(
            {
                "number": some,
                # Names need not be text.
                "path": [os.fsencode(photo.path.absolute()) for photo in photos],
                "url": [
                    os.fsencode(photo.url) if isinstance(photo, RemotePhoto) else b"" for photo in photos
                ],
                "file": [photo.file for photo in photos],
                "copy": [str(folder.copy_of(photo).relative_to(folder.folder)) for photo in photos],
            }
        )
