"""Where Kaggle keeps archives and uploads. Addresses are signed, and no credentials are sent there."""

from typing import BinaryIO, Final

import requests

from fercomp.kaggle.client.transport import guard

UPLOADS: Final = 3
"""How often an upload is begun at most."""


class Storage:
    """Sends to and receives from signed addresses; raises what `requests` raises."""

    def __init__(self) -> None:
        self._session = guard(requests.Session(), ("https://", "http://"))

    def close(self) -> None:
        """Ends all connections."""
        self._session.close()

    def rest(self, address: str, start: int, identity: str) -> requests.Response:
        """Goes on with a download.

        Args:
            address: The signed address.
            start: Number of bytes that are here.
            identity: The archive's ETag or date; another archive is sent from its beginning.

        Returns:
            The answer, whatever its status is, of which only the headers were read.
        """
        headers = {"Range": f"bytes={start}-", "If-Range": identity, "Accept-Encoding": "identity"}
        return self._session.get(address, headers=headers, stream=True)

    def whole(self, address: str) -> requests.Response:
        """Begins to download a file.

        Returns:
            The answer, of which only the headers were read.
        """
        answer = self._session.get(address, headers={"Accept-Encoding": "identity"}, stream=True)
        answer.raise_for_status()
        return answer

    def put(self, address: str, content: bytes | BinaryIO) -> bool:
        """Sends a file.

        Returns:
            Whether all of it arrived: 308 says that the storage waits for more (Google Cloud Storage,
            resumable uploads).
        """
        answer = self._session.put(address, data=content)
        answer.raise_for_status()
        return answer.status_code in (200, 201)
