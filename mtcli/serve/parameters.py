"""What a client sends: JSON, a form, the query, or some of each, as one table of names and values."""

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from mtcli.serve.refusals import RefusalError, bad_request

Parameters = TypeVar("Parameters", bound=BaseModel)
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_MOST_FIELDS = 2000
_LARGEST_FIELD = 1 << 21  # bytes


async def read_parameters(request: Request, kind: type[Parameters]) -> Parameters:
    """Read what a request says: its query, and over that its body.

    A form's name that comes several times is a list. A body that is no form is read as JSON.

    Raises:
        RefusalError: the body is no JSON object, or a value is missing or does not fit.
    """
    given = _several(request.query_params.multi_items())
    type_of_body = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if type_of_body in _FORMS:
        given |= _several((await _form(request)).multi_items())
    elif body := await request.body():
        given |= _json_object(body)
    return validated(given, kind)


def validated(given: Mapping[str, Any], kind: type[Parameters]) -> Parameters:
    """Check values against what an interface takes.

    Raises:
        RefusalError: one is missing, or does not fit.
    """
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        issue = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(part) for part in issue["loc"][:1])
        if issue["type"] == "missing":
            raise bad_request(f"Invalid request: missing {name} parameter") from None
        raise bad_request(f"Invalid request: {name}: {issue['msg']}") from None


async def _form(request: Request) -> FormData:
    try:
        return await request.form(max_files=1, max_fields=_MOST_FIELDS, max_part_size=_LARGEST_FIELD)
    except HTTPException as error:  # what the form's parser says of a form that is none
        raise RefusalError(HTTPStatus(error.status_code), f"Invalid request: {error.detail}") from None
    except (ValueError, LookupError) as error:  # an encoding that is none
        raise bad_request(f"Invalid request: the form cannot be read ({error})") from None


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise bad_request("Invalid JSON format") from None
    if not isinstance(content, dict):
        raise bad_request("Invalid JSON format: expected an object")
    return content


def _several(items: Iterable[tuple[str, str | UploadFile]]) -> dict[str, Any]:
    """Values by name; a list of those that come several times."""
    found: dict[str, Any] = {}
    for name, value in items:
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found
