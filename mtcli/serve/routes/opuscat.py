"""OPUS-CAT's interface: what the plugins for memoQ, Wordfast and OmegaT speak.

The plugins write the path as MTRestService or MtRestService: it is matched whatever the case.
"""

from typing import Any

from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from mtcli.serve.interface import Call, Interface, Operation, bearer
from mtcli.serve.languages import written
from mtcli.serve.refusals import not_found
from mtcli.serve.routes.word_attention import attention_of

BASE = "/MTRestService"
_ANONYMOUS = "0"  # what the plugins send where they have no key


class OpusCatRequest(BaseModel):
    """`modelTag` may be anything: a direction has one model."""

    input: str
    srcLangCode: str  # noqa: N815 (the clients' name)
    trgLangCode: str  # noqa: N815
    modelTag: str = ""  # noqa: N815
    tokenCode: str = ""  # noqa: N815


class OpusCatAnswer(BaseModel):
    """Pieces are words, each behind `▁`; the alignment is `source-target`, counted from 0."""

    translation: str
    segmentedSourceSentence: list[str]  # noqa: N815
    segmentedTranslation: list[str]  # noqa: N815
    alignmentString: str  # noqa: N815


class OpusCatKeyRequest(BaseModel):
    tokenCode: str = ""  # noqa: N815


class OpusCatPairRequest(OpusCatKeyRequest):
    srcLangCode: str  # noqa: N815
    trgLangCode: str  # noqa: N815
    modelTag: str = ""  # noqa: N815


class OpusCatBatchRequest(OpusCatPairRequest):
    input: list[str] = Field(default_factory=list)


async def translate(call: Call) -> Response:
    """Translate a segment, and tell which words belong together."""
    asked: OpusCatRequest = call.parameters
    service = call.served.service
    work = attention_of(service, asked.input, asked.srcLangCode, asked.trgLangCode)
    found = await call.while_connected(work)
    links = [(row.index(max(row)), place) for place, row in enumerate(found.weights) if any(row)]
    return JSONResponse(
        {
            "translation": found.translation,
            "segmentedSourceSentence": [f"▁{word}" for word in found.source],
            "segmentedTranslation": [f"▁{word}" for word in found.target],
            "alignmentString": " ".join(f"{source}-{target}" for source, target in sorted(links)),
        }
    )


async def translate_plainly(call: Call) -> Response:
    """Translate a segment."""
    asked: OpusCatRequest = call.parameters
    work = call.served.service.translate([asked.input], asked.srcLangCode, asked.trgLangCode)
    [found] = await call.while_connected(work)
    return JSONResponse(found.text)


async def pairs(call: Call) -> Response:
    """List directions, such as en-de."""
    models = call.served.service.models
    every = [(source, target) for source in models.sources for target in models.targets(source)]
    return JSONResponse(["-".join(map(written, pair)) for pair in every])


async def tags(call: Call) -> Response:
    """List the models of a direction: one at most."""
    asked: OpusCatPairRequest = call.parameters
    route = call.served.service.route(asked.srcLangCode, asked.trgLangCode)
    return JSONResponse([model.name for model in route.models[:1]] if route else [])


async def status(call: Call) -> Response:
    """Say that a model is ready, or what is wrong with it."""
    asked: OpusCatPairRequest = call.parameters
    route = call.served.service.route(asked.srcLangCode, asked.trgLangCode)
    names = " and ".join(model.name for model in route.models) if route else "nothing"
    return JSONResponse(f"Translates with {names}.")


async def preorder(call: Call) -> Response:
    """Take note of segments to come: they are translated when they are asked for."""
    asked: OpusCatBatchRequest = call.parameters
    call.served.service.route(asked.srcLangCode, asked.trgLangCode)
    return JSONResponse("batch preordered")


async def customize(call: Call) -> Response:
    """Refuse fine-tuning, which is done with `mtcli train`."""
    raise not_found("Models are not tuned over HTTP: use mtcli train --fine-tune.")


def key_of(call: Call) -> str | None:
    """`tokenCode`, which is 0 for clients without a key."""
    code = getattr(call.parameters, "tokenCode", "").strip('"')
    return bearer(call.request) if code in ("", _ANONYMOUS) else code


def _operation(method: str, name: str, summary: str, handler: Any, takes: type[BaseModel], gives: Any) -> Operation:
    return Operation(method=method, path=f"{BASE}/{name}", summary=summary, handler=handler, takes=takes, gives=gives)


OPUS_CAT = Interface(
    name="opus-cat",
    error=lambda refusal: {"error": refusal.sentence},
    error_schema={"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]},
    key=key_of,
    operations=(
        _operation(
            "GET",
            "TranslateJson",
            "Translate a segment, with alignments.",
            translate,
            OpusCatRequest,
            OpusCatAnswer,
        ),
        _operation("GET", "Translate", "Translate a segment.", translate_plainly, OpusCatRequest, str),
        _operation("GET", "ListSupportedLanguagePairs", "List directions.", pairs, OpusCatKeyRequest, list[str]),
        _operation("GET", "GetLanguagePairModelTags", "List models.", tags, OpusCatPairRequest, list[str]),
        _operation("GET", "CheckModelStatus", "Say whether a model is ready.", status, OpusCatPairRequest, str),
        _operation("POST", "PreOrderBatch", "Announce segments.", preorder, OpusCatBatchRequest, str),
        _operation("POST", "Customize", "Is refused: tune with mtcli train.", customize, OpusCatKeyRequest, str),
    ),
)
