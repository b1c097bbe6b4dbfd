"""A competition at Kaggle, through Kaggle's own client.

Calls go through it. Bytes of archives and CSVs do not: its own transfers repeat everything, a full disk
included, swallow the reason of a failure, and cannot be stopped between an upload and the submission that it
is for.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, Final, Self

import requests

from fercomp.core.errors import FercompError
from fercomp.kaggle.answers import About, Limits, Place, Sent, read_about, read_sent, read_time, whole
from fercomp.kaggle.credentials import HOW, SETTINGS, check_credentials, find_credentials
from fercomp.kaggle.official import client_api
from fercomp.kaggle.refusals import UNFORESEEN, Refused, Unanswered, misunderstood, printable, refusal
from fercomp.kaggle.storage import Storage

PAGE_SIZE: Final = 200
"""Entries asked for at once: the most that Kaggle gives (help of `kaggle competitions files`)."""

MOST_PAGES: Final = 1_000
"""Pages of one list that are asked for: 200,000 entries."""

UPLOADS: Final = 3
"""How often an upload is begun at most."""


class Kaggle:
    """One competition, with an account signed in. Used in a `with` block.

    Every method raises `Refused` where Kaggle says no, and `Unanswered` where no usable answer came.
    """

    def __init__(self, competition: str, api: Any, credentials: str) -> None:
        self.competition = competition
        self._credentials = credentials
        values = api.config_values
        self._secrets = [values[key] for key in ("token", "key", "api_token") if values.get(key)]
        self._client = api.build_kaggle_client()
        self._storage = Storage()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._storage.close()
        self._client.__exit__(None, None, None)

    def data_files(self) -> Iterator[tuple[str, int]]:
        """Walks through the competition's files: name, and size in bytes (0 where it is not told)."""
        for page in self._pages("ListDataFiles"):
            yield from [(printable(file.name), whole(file.total_bytes, 30)) for file in page.files]

    def archive(self) -> requests.Response:
        """Begins to download all files as one zip.

        Returns:
            The answer, of which only the headers were read. Its address is signed, and good for a while.
        """
        answer: requests.Response = self._call("DownloadDataFiles", competition_name=self.competition)
        return answer

    def archive_from(self, address: str, start: int, identity: str) -> requests.Response:
        """Goes on with a download.

        Args:
            address: The signed address.
            start: Number of bytes that are here.
            identity: The archive's ETag or date; another archive is sent from its beginning.

        Returns:
            The answer, whatever its status is, of which only the headers were read.
        """
        with self.told():
            return self._storage.rest(address, start, identity)

    def about(self) -> About:
        """Says what the competition is like."""
        answer = self._call("GetCompetition", competition_name=self.competition)
        with self.told():
            return read_about(answer)

    def submissions(self, *, selected: bool = False) -> list[Sent]:
        """Lists the team's submissions, the newest first.

        Args:
            selected: Only those that are selected to count in the end.
        """
        from kagglesdk.competitions.types.competition_enums import SubmissionGroup

        found: dict[int, Sent] = {}
        page: dict[str, Any] = {"page": 1}
        if selected:
            page["group"] = SubmissionGroup.SUBMISSION_GROUP_SELECTED
        for _ in range(MOST_PAGES):
            answer = self._call(
                "ListSubmissions", competition_name=self.competition, page_size=PAGE_SIZE, **page
            )
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
        answer = self._call("GetSubmission", ref=ref)
        with self.told():
            return read_sent(answer)

    def limits(self) -> Limits:
        """Says how often may still be submitted."""
        answer = self._call("GetSubmissionLimits", competition_name=self.competition)
        # Zeros only: the account is not on a team yet (docstring of competition_get_submission_limits).
        today, total, left = map(whole, (answer.num_today, answer.num_total, answer.num_allowed_now))
        unknown = not (today or total or left)
        return Limits(None if unknown else left, today, answer.limited_by_total is True)

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
                competition_name=self.competition,
                file_name=name,
                content_length=len(content),
                last_modified_epoch_seconds=max(0, int(modified)),
            )
            with self.told():
                arrived = self._storage.put(answer.create_url, content)
            if arrived:
                return str(answer.token)
        raise Unanswered(f"Kaggle's storage took {name} only in part, {UPLOADS} times: try again later")

    def submit(self, token: str, message: str) -> int:
        """Submits what was uploaded. From here on, it counts.

        Returns:
            The submission's number, 0 where Kaggle does not say it.
        """
        answer = self._call(
            "CreateSubmission",
            competition_name=self.competition,
            blob_file_tokens=token,
            submission_description=message,
        )
        return whole(answer.ref)

    def leaderboard(self) -> Iterator[Place]:
        """Walks through the leaderboard, the best first; asks for a page when it is needed."""
        for page in self._pages("GetLeaderboard"):
            for entry in page.submissions:
                yield Place(
                    printable(entry.team_name), printable(entry.score), read_time(entry.submission_date)
                )

    def _pages(self, method: str) -> Iterator[Any]:
        token, seen = "", {""}
        for _ in range(MOST_PAGES):
            page = self._call(
                method, competition_name=self.competition, page_size=PAGE_SIZE, page_token=token
            )
            yield page
            token = str(page.next_page_token or "")
            if token in seen:  # the end, or a circle
                return
            seen.add(token)
        raise Unanswered(f"Kaggle's list has more than {MOST_PAGES:,} pages: try again later")

    def _call(self, method: str, **fields: Any) -> Any:
        from kagglesdk.competitions.types import competition_api_service

        request = getattr(competition_api_service, f"Api{method}Request")()
        for name, value in fields.items():
            setattr(request, name, value)
        snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in method).lstrip("_")
        with self.told():
            return getattr(self._client.competitions.competition_api_client, snake)(request)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Tells errors that come up in a block, also while the content of an answer is read."""
        try:
            yield
        except requests.RequestException as error:
            raise refusal(error, self.competition, self._credentials, self._secrets) from error
        except UNFORESEEN as error:
            raise misunderstood(error, self._credentials) from None  # its text may hold a secret


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
