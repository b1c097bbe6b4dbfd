"""What a submission looks like where a competition has its own layout: its sample with other labels."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from fercomp.core.csv_table import Table, header_of, write_csv
from fercomp.core.errors import FercompError
from fercomp.core.params.group import Group
from fercomp.core.reading import is_there, read_at_most
from fercomp.data.competition_files import SAMPLE_SUBMISSION

if TYPE_CHECKING:
    import pandas as pd

ORIGINAL_FOLDER: Final = "original"
"""Where `fetch` keeps what else came, in the raw folder."""

NOTE: Final = f"{ORIGINAL_FOLDER}/.layout.json"
OWN_SAMPLE: Final = f"{ORIGINAL_FOLDER}/.sample.csv"

LAYOUT_REMEDY: Final = "look at fetch.layout in params.yaml, and run `fercomp fetch`"


class OwnForm(Group):
    """What a submission looks like where the competition has a layout of its own.

    Attributes:
        photo: The column of photos.
        label: The column of classes.
        names: What the competition calls each of fercomp's classes that it has.
    """

    photo: str
    label: str
    names: dict[str, str]

    def read(self, path: Path, raw: Path) -> "pd.DataFrame":
        """Reads a submission as the competition has it: `image_path` and `emotion`, as the rest knows them.

        Raises:
            FercompError: It is no such table, or has classes that the competition does not have.
        """
        import pandas as pd

        ours = {name: emotion for emotion, name in self.names.items()}
        given, sample = (self._table().read(file) for file in (path, raw / OWN_SAMPLE))
        if strange := sorted(set(given[self.label]) - set(ours)):
            raise FercompError(f"{path} has unknown classes {strange}: known are {', '.join(sorted(ours))}")
        known = SAMPLE_SUBMISSION.read(raw / "sample_submission.csv")["image_path"]
        paths = dict(zip(sample[self.photo], known, strict=False))
        return pd.DataFrame(
            {
                "image_path": [paths.get(name, name) for name in given[self.photo]],
                "emotion": given[self.label].map(ours),
            },
            dtype="str",
        )

    def write(self, submission: "pd.DataFrame", raw: Path, path: Path) -> None:
        """Writes a submission as the competition has it: its own sample with other labels.

        Args:
            submission: `image_path` and `emotion`, in the order of the sample.
            raw: The raw folder.
            path: The CSV.

        Raises:
            FercompError: The competition's sample is not what it was when it was fetched.
        """
        import pandas as pd

        if len(self._table().read(raw / OWN_SAMPLE)) != len(submission):
            raise FercompError(
                f"{raw / OWN_SAMPLE} has not the rows of sample_submission.csv: {LAYOUT_REMEDY}"
            )
        sample = pd.read_csv(raw / OWN_SAMPLE, dtype="str", keep_default_na=False, encoding="utf-8")
        sample[self.label] = submission["emotion"].map(self.names).to_numpy()
        sample.columns = header_of(raw / OWN_SAMPLE)  # an index has no name there, and one of pandas' here
        write_csv(sample, path)

    def _table(self) -> Table:
        return Table({self.photo: "str", self.label: "str"}, LAYOUT_REMEDY)


def own_form(raw: Path) -> OwnForm | None:
    """Says what a submission looks like; `None` where it is as `sample_submission.csv`.

    Raises:
        FercompError: What `fetch` wrote down about that is damaged.
    """
    if not is_there(raw / NOTE):
        return None
    try:
        return OwnForm.model_validate_json(read_at_most(raw / NOTE, 2**16))
    except ValidationError as error:
        raise FercompError(f"{raw / NOTE} is damaged: run `fercomp fetch` again") from error


def own_sample(raw: Path) -> Path:
    """Returns the competition's own example of a submission."""
    own = raw / OWN_SAMPLE
    return own if own.is_file() else raw / "sample_submission.csv"
