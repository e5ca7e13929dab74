"""Which words of a text each word of its translation looked at: for the page, and for whoever moves tags."""

import numpy as np
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from mtcli.decoding.alignment import WordAttention
from mtcli.serve.interface import Call, Interface, Operation
from mtcli.serve.languages import AUTO
from mtcli.serve.routes.libretranslate import LIBRETRANSLATE, key_of
from mtcli.serve.service import TranslationService


class AttentionRequest(BaseModel):
    q: str
    source: str = AUTO
    target: str
    api_key: str | None = None


class AttentionAnswer(BaseModel):
    """`weights` has a row for each word of the translation, a number for each of the source; a row sums to 1 or 0."""

    translation: str
    source: list[str]
    target: list[str]
    weights: list[list[float]]


async def attention_of(service: TranslationService, text: str, source: str, target: str) -> AttentionAnswer:
    """Translate a text, and find out what each word of the translation looked at.

    Where that is not told (`TranslationService.attention`), no word looked at any.

    Raises:
        RefusalError: as the service.
    """
    found, lines = await service.attention(text, source, target)
    if not lines:
        lines = [WordAttention(text.split(), found.text.split(), np.zeros((0, 0), np.float32))]
    words = [word for line in lines for word in line.source]
    targets = [word for line in lines for word in line.target]
    weights, start = [], 0
    for line in lines:
        before, behind = [0.0] * start, [0.0] * (len(words) - start - len(line.source))
        weights += [[*before, *np.round(row.astype(np.float64), 4).tolist(), *behind] for row in line.weights]
        start += len(line.source)
    blank = [[0.0] * len(words) for _ in targets[len(weights) :]]
    return AttentionAnswer(translation=found.text, source=words, target=targets, weights=weights + blank)


async def attention(call: Call) -> Response:
    """Translate a text, and tell which words each word looked at."""
    asked: AttentionRequest = call.parameters
    found = await call.while_connected(attention_of(call.served.service, asked.q, asked.source, asked.target))
    return JSONResponse(found.model_dump())


WORD_ATTENTION = Interface(
    name="attention",
    error=LIBRETRANSLATE.error,
    error_schema=LIBRETRANSLATE.error_schema,
    key=key_of,
    operations=(
        Operation(
            method="POST",
            path="/attention",
            summary="Translate a text, and tell which words each word of the translation looked at.",
            handler=attention,
            takes=AttentionRequest,
            gives=AttentionAnswer,
        ),
    ),
)
