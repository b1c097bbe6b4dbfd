"""A competition at Kaggle, through Kaggle's own client.

Calls go through it. Bytes of archives and CSVs do not: its own transfers repeat everything, a full disk
included, swallow the reason of a failure, and cannot be stopped between an upload and the submission that it
is for.
"""

import io
import os
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from fercomp.core.errors import FercompError
from fercomp.kaggle.client.account import MOST_PAGES, PAGE_SIZE, Account
from fercomp.kaggle.client.answers import (
    About,
    Limits,
    Place,
    Sent,
    read_about,
    read_limits,
    read_sent,
    read_time,
    whole,
)
from fercomp.kaggle.client.credentials import HOW, SETTINGS, check_credentials, find_credentials
from fercomp.kaggle.client.official import client_api
from fercomp.kaggle.client.refusals import (
    CODE,
    UNFORESEEN,
    Refused,
    Unanswered,
    misunderstood,
    printable,
    refusal,
)
from fercomp.kaggle.client.storage import UPLOADS


@dataclass(frozen=True)
class KernelFile:
    """What a kernel has left that is to be submitted: the kernel's slug, its version, and the file there."""

    slug: str
    version: int
    file: str


class Kaggle(Account):
    """One competition, with an account signed in."""

    def data_files(self) -> Iterator[tuple[str, int]]:
        """Walks through the competition's files: name, and size in bytes (0 where it is not told)."""
        for page in self.pages("competition", "ListDataFiles", competition_name=self.competition):
            yield from [(printable(file.name), whole(file.total_bytes, 30)) for file in page.files]

    def archive(self) -> requests.Response:
        """Begins to download all files as one zip.

        Returns:
            The answer, of which only the headers were read. Its address is signed, and good for a while.
        """
        answer: requests.Response = self._call("DownloadDataFiles")
        return answer

    def archive_from(self, address: str, start: int, identity: str) -> requests.Response:
        """Goes on with a download; see `Storage.rest`. A server that cannot be reached is told in a line."""
        with self.told():
            return self.storage.rest(address, start, identity)

    def about(self) -> About:
        """Says what the competition is like."""
        answer = self._call("GetCompetition")
        with self.told():
            return read_about(answer)

    def submissions(self, *, selected: bool = False) -> list[Sent]:
        """Lists the team's submissions, the newest first.

        Args:
            selected: Only those that are selected to count in the end.
        """
        found: dict[int, Sent] = {}
        page: dict[str, Any] = {"page": 1, "group": "SUBMISSION_GROUP_SELECTED" if selected else None}
        for _ in range(MOST_PAGES):
            answer = self._call("ListSubmissions", page_size=PAGE_SIZE, **page)
            with self.told():
                sent = [read_sent(entry) for entry in answer.submissions]
            new = [one for one in sent if one.ref not in found]
            found.update((one.ref, one) for one in new)
            if answer.next_page_token:
                page.pop("page", None)
                page["page_token"] = str(answer.next_page_token)
            elif len(sent) >= PAGE_SIZE and "page" in page:
                page["page"] += 1
            else:
                break
            if not new:
                break
        return list(found.values())

    def submission(self, ref: int) -> Sent:
        """Returns what became of a submission."""
        answer = self.call("competition", "GetSubmission", ref=ref)
        with self.told():
            return read_sent(answer)

    def limits(self) -> Limits:
        """Says how often may still be submitted."""
        answer = self._call("GetSubmissionLimits")
        with self.told():
            return read_limits(answer)

    def upload(self, name: str, content: bytes, modified: float) -> str:
        """Uploads a CSV, which submits nothing yet.

        Args:
            name: What Kaggle will call it.
            content: Its bytes.
            modified: When it was written, seconds since 1970.

        Returns:
            What Kaggle knows the uploaded bytes by.
        """
        for _ in range(UPLOADS):
            answer = self._call(
                "StartSubmissionUpload",
                file_name=name,
                content_length=len(content),
                last_modified_epoch_seconds=max(0, int(modified)),
            )
            with self.told():
                arrived = self.storage.put(answer.create_url, content)
            if arrived:
                return str(answer.token)
        raise Unanswered(f"Kaggle's storage took {name} only in part, {UPLOADS} times: try again later")

    def submit(self, token: str, message: str) -> int:
        """Submits what was uploaded. From here on, it counts.

        Returns:
            The submission's number, 0 where Kaggle does not say it.
        """
        answer = self._call("CreateSubmission", blob_file_tokens=token, submission_description=message)
        return whole(answer.ref)

    def submit_kernel(self, made: KernelFile, message: str) -> int:
        """Submits what a kernel has left. From here on, it counts.

        Returns:
            As `submit`.
        """
        try:
            answer = self._call(
                "CreateCodeSubmission",
                kernel_owner=self.owner,
                kernel_slug=made.slug,
                kernel_version=made.version,
                file_name=made.file,
                submission_description=message,
            )
        except Refused as error:
            if not CODE.search(error.words):
                raise
            told = f"Kaggle does not take {made.file} of the kernel {made.slug}: {error.words}"
            raise Refused(told, error.words) from error
        return whole(answer.ref)

    def leaderboard(self) -> Iterator[Place]:
        """Walks through the leaderboard, the best first; asks for a page when it is needed."""
        for page in self.pages("competition", "GetLeaderboard", competition_name=self.competition):
            for one in page.submissions:
                yield Place(printable(one.team_name), printable(one.score), read_time(one.submission_date))

    def _call(self, method: str, **fields: Any) -> Any:
        return self.call("competition", method, competition_name=self.competition, **fields)


def connect(competition: str) -> Kaggle:
    """Signs in.

    Args:
        competition: The last part of the competition's address.

    Raises:
        FercompError: There are no credentials, Kaggle does not accept them, or it cannot be reached.
    """
    place = find_credentials(os.environ, Path.home())
    if place is None:
        raise FercompError(f"no Kaggle credentials: {HOW}")
    check_credentials(place, os.environ)
    api = client_api()
    try:
        with redirect_stdout(io.StringIO()):
            api.authenticate()
    except SystemExit as error:
        raise Refused(
            f"Kaggle does not accept the credentials of {place}: make a new token at {SETTINGS}"
        ) from error
    except requests.RequestException as error:
        raise refusal(error, competition, place) from error
    except OSError as error:  # of a path, which may be the token itself
        raise FercompError(
            f"the Kaggle client cannot read the credentials of {place} ({error.strerror}): save them anew"
        ) from None
    except UNFORESEEN as error:
        raise misunderstood(error, place) from None
    return Kaggle(competition, api, place)
