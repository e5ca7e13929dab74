"""A part of DeepL's interface, version 2: what its official clients need to translate text.

Languages are written EN and PT-BR here; as a target a client refuses EN and PT without a region, so that both of
their regions are listed. Tags are kept (`mtcli.serve.pages`, `mtcli.serve.markup`).
"""

from typing import Any, Literal

from pydantic import BaseModel, Field, field_validator
from starlette.responses import JSONResponse, Response

from mtcli.serve.interface import Call, Interface, Operation, authorization, bearer
from mtcli.serve.languages import AUTO, name_of
from mtcli.serve.markup import Runs, well_formed
from mtcli.serve.pages import HtmlPage
from mtcli.serve.refusals import RefusalError, bad_request, not_found
from mtcli.serve.service import Marked, Translated

_TARGETS = {
    "en": {"EN-GB": "English (British)", "EN-US": "English (American)"},
    "pt": {"PT-BR": "Portuguese (Brazilian)", "PT-PT": "Portuguese (European)"},
}
_QUOTA = 1_000_000_000_000  # characters: there is none
_AUTHORIZATION = "DeepL-Auth-Key"


class DeepLRequest(BaseModel):
    """What else DeepL's clients send, such as context, formality and model_type, is taken and not heeded."""

    text: list[str] = Field(min_length=1)
    target_lang: str
    source_lang: str | None = None
    tag_handling: Literal["xml", "html", ""] | None = None
    tag_handling_version: str | None = None
    ignore_tags: list[str] = Field(default_factory=list)
    glossary_id: str | None = None
    show_billed_characters: bool = True
    auth_key: str | None = None

    @field_validator("text", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("ignore_tags", mode="before")
    @classmethod
    def _separated_by_commas(cls, value: Any) -> Any:
        several = [value] if isinstance(value, str) else value
        if not isinstance(several, list) or not all(isinstance(one, str) for one in several):
            return value
        return [name.strip() for one in several for name in one.split(",") if name.strip()]


class DeepLTranslation(BaseModel):
    detected_source_language: str
    text: str
    billed_characters: int


class DeepLAnswer(BaseModel):
    translations: list[DeepLTranslation]


class DeepLLanguagesRequest(BaseModel):
    """Clients send it in the query, or as a form in the body of a GET."""

    type: Literal["source", "target"] = "source"
    auth_key: str | None = None


class DeepLLanguage(BaseModel):
    language: str
    name: str
    supports_formality: bool | None = None


class DeepLUsage(BaseModel):
    character_count: int
    character_limit: int


class DeepLKeyRequest(BaseModel):
    auth_key: str | None = None


async def translate(call: Call) -> Response:
    """Translate texts, all in one go."""
    asked: DeepLRequest = call.parameters
    if asked.glossary_id:
        raise bad_request("Glossaries are not supported by this server: leave glossary_id out.")
    service, source = call.served.service, asked.source_lang or AUTO
    if asked.tag_handling:
        service.check_size(asked.text)
        if asked.tag_handling == "html":
            ignored = frozenset(tag.lower() for tag in asked.ignore_tags)
            pages = [HtmlPage.of(text, ignored) for text in asked.text]
            work = service.translate_pages(pages, source, asked.target_lang)
        else:
            marked = [_marked(text, asked) for text in asked.text]
            work = service.translate_marked(marked, source, asked.target_lang)
    else:
        work = service.translate(asked.text, source, asked.target_lang)
    found = await call.while_connected(work)
    return JSONResponse({"translations": list(map(_answer, found, asked.text))})


def _marked(text: str, asked: DeepLRequest) -> Marked:
    if asked.tag_handling_version == "v2" and not well_formed(text):
        raise bad_request("Tag handling parsing failed: the text is not well-formed XML.")
    return Runs.of(text, also_copied=frozenset(asked.ignore_tags), is_html=False)


def _answer(found: Translated, text: str) -> dict[str, Any]:
    return {
        "detected_source_language": found.source.partition("-")[0].upper(),
        "text": found.text,
        "billed_characters": len(text),
    }


async def languages(call: Call) -> Response:
    """List what is read, or what is written."""
    asked: DeepLLanguagesRequest = call.parameters
    models = call.served.service.models
    if asked.type == "source":
        general = dict.fromkeys(code.partition("-")[0] for code in models.sources)
        return JSONResponse([{"language": code.upper(), "name": name_of(code)} for code in general])
    written = dict.fromkeys(target for source in models.sources for target in models.targets(source))
    listed = [_TARGETS.get(target, {target.upper(): name_of(target)}) for target in written]
    every = {code: name for names in listed for code, name in names.items()}
    return JSONResponse(
        [{"language": code, "name": name, "supports_formality": False} for code, name in sorted(every.items())]
    )


async def usage(call: Call) -> Response:
    """Tell what was used: nothing is counted, and nothing limited."""
    return JSONResponse({"character_count": 0, "character_limit": _QUOTA})


async def absent(call: Call) -> Response:
    """Say that there are no glossaries and documents here."""
    raise not_found("This server has no glossaries and no documents over DeepL's interface.")


def _key(call: Call) -> str | None:
    request = call.request
    return authorization(request, _AUTHORIZATION) or getattr(call.parameters, "auth_key", None) or bearer(request)


def _operation(method: str, path: str, summary: str, handler: Any, takes: type[BaseModel], gives: Any) -> Operation:
    return Operation(method=method, path=f"/v2/{path}", summary=summary, handler=handler, takes=takes, gives=gives)


def _error(refusal: RefusalError) -> dict[str, str]:
    return {"message": refusal.sentence}


_ABSENT = "Is not there: this server has no glossaries and no documents over DeepL's interface."
DEEPL = Interface(
    name="deepl",
    error=_error,
    error_schema={"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]},
    key=_key,
    operations=(
        _operation("POST", "translate", "Translate texts.", translate, DeepLRequest, DeepLAnswer),
        _operation("GET", "languages", "List languages.", languages, DeepLLanguagesRequest, list[DeepLLanguage]),
        _operation("POST", "languages", "List languages.", languages, DeepLLanguagesRequest, list[DeepLLanguage]),
        _operation("GET", "usage", "Tell what was used: nothing is counted.", usage, DeepLKeyRequest, DeepLUsage),
        _operation("POST", "usage", "Tell what was used: nothing is counted.", usage, DeepLKeyRequest, DeepLUsage),
        *(
            _operation(method, path, _ABSENT, absent, DeepLKeyRequest, None)
            for path in ("glossaries", "glossary-language-pairs", "document")
            for method in ("GET", "POST")
        ),
    ),
)
