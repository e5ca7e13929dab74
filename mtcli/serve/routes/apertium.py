"""Apertium's interface: what OmegaT speaks without a plugin."""

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from mtcli.serve.interface import Call, Interface, Operation, bearer
from mtcli.serve.languages import is_code, written
from mtcli.serve.refusals import RefusalError, bad_request


class ApertiumRequest(BaseModel):
    """`langpair` is such as `en|de`; what else the clients send is of no use here."""

    q: str
    langpair: str
    markUnknown: str = "no"  # noqa: N815 (the clients' name)
    key: str | None = None


class ApertiumText(BaseModel):
    translatedText: str  # noqa: N815


class ApertiumAnswer(BaseModel):
    responseData: ApertiumText  # noqa: N815
    responseDetails: str | None = None  # noqa: N815
    responseStatus: int = 200  # noqa: N815


class ApertiumPair(BaseModel):
    sourceLanguage: str  # noqa: N815
    targetLanguage: str  # noqa: N815


class ApertiumPairs(BaseModel):
    responseData: list[ApertiumPair]  # noqa: N815
    responseDetails: str | None = None  # noqa: N815
    responseStatus: int = 200  # noqa: N815


async def translate(call: Call) -> Response:
    """Translate a segment."""
    asked: ApertiumRequest = call.parameters
    codes = asked.langpair.split("|")
    if len(codes) != 2 or not all(map(is_code, codes)):
        raise bad_request("That pair is invalid, use e.g. eng|spa")
    [found] = await call.while_connected(call.served.service.translate([asked.q], *codes))
    return JSONResponse(_answer({"translatedText": found.text}))


async def pairs(call: Call) -> Response:
    """List directions."""
    models = call.served.service.models
    every = [(source, target) for source in models.sources for target in models.targets(source)]
    found = [{"sourceLanguage": written(source), "targetLanguage": written(target)} for source, target in every]
    return JSONResponse(_answer(found))


def _answer(content: Any) -> dict[str, Any]:
    return {"responseData": content, "responseDetails": None, "responseStatus": HTTPStatus.OK}


def _error(refusal: RefusalError) -> dict[str, Any]:
    return {
        "status": "error",
        "code": int(refusal.status),
        "message": refusal.status.phrase,
        "explanation": refusal.sentence,
    }


_TEXT = {"type": "string"}
APERTIUM = Interface(
    name="apertium",
    error=_error,
    error_schema={
        "type": "object",
        "properties": {"status": _TEXT, "code": {"type": "integer"}, "message": _TEXT, "explanation": _TEXT},
        "required": ["status", "code", "message", "explanation"],
    },
    key=lambda call: getattr(call.parameters, "key", None) or bearer(call.request),
    operations=(
        Operation(
            method="GET",
            path="/translate",
            summary="Translate a segment.",
            handler=translate,
            takes=ApertiumRequest,
            gives=ApertiumAnswer,
        ),
        Operation(
            method="GET",
            path="/listPairs",
            summary="List directions.",
            handler=pairs,
            gives=ApertiumPairs,
            needs_key=False,
        ),
    ),
)
