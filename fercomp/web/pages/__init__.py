"""What browsers get: the pages, their style sheets and scripts, and the policy that binds them."""

import secrets
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from fercomp.core.palette import css_variables
from fercomp.web.local import Access

_KINDS: Final = MappingProxyType({"css": "text/css", "js": "text/javascript"})

_PRIVATE: Final = MappingProxyType(
    {"cache-control": "no-store", "referrer-policy": "no-referrer", "x-content-type-options": "nosniff"}
)


def add_page(app: FastAPI, access: Access, name: str) -> None:
    """Serves a page and the files that it loads.

    The secret is in the path of the files, not in a query: so a script's `import "./other.js"` has it, too.

    Args:
        app: The server.
        access: Who may connect.
        name: Of the page, and of the command that shows it.
    """
    html = _text(f"{name}.html")
    parts = {
        each.name: _text(each.name)
        for each in files(__name__).iterdir()
        if each.name.rpartition(".")[2] in _KINDS
    }
    refused = f"open the address that `fercomp {name}` printed"

    @app.get("/")
    def index(request: Request, token: str = "") -> Response:
        if not access.allows(token, request.headers):
            return PlainTextResponse(refused, status_code=403)
        return _page(html, token)

    @app.get("/files/{token}/{part}")
    def part_of_page(request: Request, token: str, part: str) -> Response:
        if not access.allows(token, request.headers):
            return PlainTextResponse(refused, status_code=403)
        if part not in parts:
            return PlainTextResponse(f"there is no file {part!r}", status_code=404)
        return Response(parts[part], media_type=_KINDS[part.rpartition(".")[2]], headers=_PRIVATE)


def _text(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def _page(html: str, token: str) -> Response:
    """Returns a page that runs its own scripts and talks to its own server, and to nobody else."""
    nonce = secrets.token_urlsafe(16)
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; "
        "img-src 'self' data: blob:; media-src 'self' blob:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    for name, value in {"nonce": nonce, "palette": css_variables(), "files": f"files/{token}"}.items():
        html = html.replace(f"{{{{{name}}}}}", value)
    return Response(html, media_type="text/html", headers={"content-security-policy": policy, **_PRIVATE})
