"""Kaggle's own client, as it is, kept from what it does besides. Nothing else in fercomp imports `kaggle`.

It signs in while it is imported, without a timeout; it prints, with VERBOSE=1 even the credentials; it never
repeats a request.
"""

from typing import Any, Final

from fercomp.core.errors import FercompError
from fercomp.kaggle.client.transport import guard, silenced

REPEATABLE: Final = {
    "competitions.CompetitionApiService": ("List", "Get", "Download", "StartSubmissionUpload"),
    "kernels.KernelsApiService": ("List", "Get"),
    "datasets.DatasetApiService": ("Get",),
    "blobs.BlobApiService": ("StartBlobUpload",),
    "security.OAuthService": ("IntrospectToken",),
}
"""How the calls begin that change nothing, so that they may be sent again."""


def client_api() -> Any:
    """Makes the client: its sessions get timeouts, and it does not print what it sends and receives."""
    try:
        with silenced():
            from kaggle.api.kaggle_api_extended import KaggleApi

            api = KaggleApi()
    except OSError as error:
        raise FercompError(
            f"the Kaggle client cannot make its folder {error.filename} ({error.strerror}): set "
            "KAGGLE_CONFIG_DIR to a folder that can be written"
        ) from error
    build = api.build_kaggle_client

    def build_guarded() -> Any:
        client = build()
        http = client.http_client()
        http.__enter__()  # makes the session
        guard(
            http._session,
            [http._get_request_url(service, call) for service, calls in REPEATABLE.items() for call in calls],
        )
        return client

    api.args = [word for word in api.args if word != "--verbose"]
    api.build_kaggle_client = build_guarded
    api.get_response_processor = lambda: None  # it would print that there is a newer client
    return api
