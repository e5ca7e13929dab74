"""The OpenAPI 3.1 document of everything that is served, from the operations themselves."""

import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter

from mtcli import __version__
from mtcli.serve.interface import Interface, Operation

_REFERENCES = "#/components/schemas/{model}"
_PATH_PARAMETER = re.compile(r"{(\w+)}")
_REFUSALS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


def document(interfaces: Sequence[Interface]) -> dict[str, Any]:
    """Return what `GET /spec` answers."""
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Any] = {}
    for interface in interfaces:
        schemas[f"{interface.name}-error"] = dict(interface.error_schema)
        for operation in interface.operations:
            described = _operation(interface, operation, schemas)
            paths.setdefault(operation.path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "mtcli serve",
            "version": __version__,
            "description": "Machine translation with models of your own, over the interfaces of several services.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(interface: Interface, operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    words = re.sub(r"\W+", "-", operation.path).strip("-") or "page"
    described: dict[str, Any] = {
        "operationId": f"{interface.name}-{operation.method.lower()}-{words}",
        "tags": [interface.name],
        "summary": operation.summary,
        "parameters": list(_parameters(operation, schemas)),
        "responses": _responses(interface, operation, schemas),
    }
    if operation.method == "POST":
        described["requestBody"] = _body(operation, schemas)
    if operation.needs_key:
        described["security"] = [{}, {"key": []}]
    return described


def _parameters(operation: Operation, schemas: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in _PATH_PARAMETER.findall(operation.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    if operation.method == "GET":
        schema = _schema(operation.takes, {}, "validation")
        for name, kind in schema.get("properties", {}).items():
            required = name in schema.get("required", ())
            yield {"name": name, "in": "query", "required": required, "schema": kind}


def _body(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    schema = _schema(operation.takes, schemas, "validation")
    if operation.takes_file:
        schema["properties"]["file"] = {"type": "string", "contentMediaType": "application/octet-stream"}
        return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    kinds = ("application/json", "application/x-www-form-urlencoded")
    return {"required": bool(schema.get("required")), "content": {kind: {"schema": schema} for kind in kinds}}


def _responses(interface: Interface, operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    gives = {} if operation.gives is None else {"schema": _schema(operation.gives, schemas, "serialization")}
    good = {"description": "The answer.", "content": {operation.media_type: gives}}
    error = {"schema": {"$ref": _REFERENCES.format(model=f"{interface.name}-error")}}
    found: dict[str, Any] = {"200": good}
    if operation.takes_file:
        found["202"] = good
    for status in _REFUSALS:
        content = {"application/json": error}
        if operation.media_type == "text/html":
            content["text/html"] = {}
        if operation.path == "/health" and status == HTTPStatus.SERVICE_UNAVAILABLE:
            content = {"application/json": gives}
        found[str(int(status))] = {"description": status.phrase, "content": content}
    return found


def _schema(kind: Any, schemas: dict[str, Any], mode: Any) -> dict[str, Any]:
    """A type's JSON schema; what it refers to is put among the document's own."""
    schema: dict[str, Any] = TypeAdapter(kind).json_schema(ref_template=_REFERENCES, mode=mode)
    own: Mapping[str, Any] = schema.pop("$defs", {})
    schemas.update(own)
    return schema
