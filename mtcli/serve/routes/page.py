"""The page at `/`: a form that works without JavaScript, and the files that make more of it.

`mtcli/serve/page/index.html` has placeholders (`$name`, as string.Template knows them), filled here and escaped.
"""

import html
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from string import Template

from pydantic import BaseModel
from starlette.responses import HTMLResponse, Response

from mtcli import __version__
from mtcli.serve.interface import Call, Interface, Operation
from mtcli.serve.languages import AUTO, is_right_to_left, name_of, written
from mtcli.serve.refusals import RefusalError, not_found
from mtcli.serve.routes.libretranslate import LIBRETRANSLATE, key_of

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
_FOLDER = files("mtcli.serve") / "page"


class FormRequest(BaseModel):
    """What the form sends."""

    q: str = ""
    source: str = AUTO
    target: str = ""
    api_key: str | None = None


async def show(call: Call) -> Response:
    """Show the empty form."""
    return _page(call, call.parameters, "", "")


async def submit(call: Call) -> Response:
    """Show the form with a translation in it, or what was wrong."""
    asked: FormRequest = call.parameters
    text = asked.q.replace("\r\n", "\n")  # as browsers send line ends
    try:
        call.served.keys.check(key_of(call))
        work = call.served.service.translate([text], asked.source, asked.target)
        [found] = await call.while_connected(work)
    except RefusalError as refusal:
        return _page(call, asked, "", refusal.sentence, refusal.status)
    message = f"Translated over {name_of(found.pivot)}." if found.pivot else ""
    return _page(call, asked, found.text, message)


async def page_file(call: Call) -> Response:
    """Give one of the page's files."""
    name = call.request.path_params["name"]
    if name not in page_files():
        raise not_found("The page has no such file.")
    content, kind = page_files()[name]
    return Response(content, media_type=kind, headers={"Cache-Control": "no-cache", "Content-Security-Policy": POLICY})


@cache
def page_files() -> dict[str, tuple[bytes, str]]:
    """The page's files by name, with their content types; what has no known suffix is none."""
    found = {}
    for entry in _FOLDER.iterdir():
        suffix = f".{entry.name.rpartition('.')[2]}"
        if suffix in CONTENT_TYPES and entry.is_file():
            found[entry.name] = entry.read_bytes(), CONTENT_TYPES[suffix]
    return found


@cache
def _template() -> Template:
    return Template((_FOLDER / "index.html").read_text(encoding="utf-8"))


def _page(
    call: Call, asked: FormRequest, translation: str, message: str, status: HTTPStatus = HTTPStatus.OK
) -> Response:
    models, limits = call.served.service.models, call.served.service.limits
    target = asked.target or written(next(iter(models)).direction[1])
    targets = sorted({written(code) for source in models.sources for code in models.targets(source)})
    filled = _template().safe_substitute(
        q=html.escape(asked.q),
        translation=html.escape(translation),
        message=html.escape(message),
        source_options=_options([AUTO, *map(written, models.sources)], asked.source),
        target_options=_options(targets, target),
        source=html.escape(asked.source),
        target=html.escape(target),
        target_direction="rtl" if is_right_to_left(target.lower()) else "ltr",
        target_language=html.escape(target),
        char_limit=str(limits.chars or ""),
        key_required="true" if call.served.keys.are_needed else "false",
        file_suffixes=html.escape(",".join(call.served.files.suffixes)),
        version=html.escape(__version__),
    )
    return HTMLResponse(filled, status, {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"})


def _options(codes: list[str], chosen: str) -> str:
    """`<option>` elements, which need no JavaScript."""
    return "\n".join(
        f'<option value="{html.escape(code)}"{" selected" if code == chosen else ""}>'
        f"{'Detect language' if code == AUTO else html.escape(name_of(code.lower()))}</option>"
        for code in codes
    )


PAGE = Interface(
    name="page",
    error=LIBRETRANSLATE.error,
    error_schema=LIBRETRANSLATE.error_schema,
    operations=(
        Operation(
            method="GET",
            path="/",
            summary="Show the page.",
            handler=show,
            takes=FormRequest,
            media_type="text/html",
            needs_key=False,
        ),
        Operation(
            method="POST",
            path="/",
            summary="Show the page with a translation.",
            handler=submit,
            takes=FormRequest,
            media_type="text/html",
            needs_key=False,
        ),
        Operation(
            method="GET",
            path="/page/{name}",
            summary="Fetch a file of the page.",
            handler=page_file,
            media_type="application/octet-stream",
            needs_key=False,
        ),
    ),
)
