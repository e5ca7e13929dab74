"""The page of settings, from the configuration classes of mtcli/config.py."""

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from generator import GENERATED
from mtcli.config import PRESETS, SECTIONS, Section


def settings_page() -> str:
    """Return docs/reference/settings.md."""
    return "\n".join(
        [
            GENERATED,
            "# Settings",
            "",
            "What `mtcli train` takes in TOML files (`--config`; [configs/](../../configs) has examples) and as",
            "`--set section.key=value`. A later source wins over an earlier one: defaults, the preset, the file,",
            "options and `--set`. Values are TOML's; a bare word is a string. Paths in a file are relative to it. A",
            "run goes on with the settings that it began with: limits may change, and what changes no weights.",
            "",
            "The defaults are the preset `base`, which has the sizes of Vaswani et al. 2017.",
            "",
            "| preset | what it sets |",
            "|---|---|",
            *(f"| `{name}` | {_preset(settings)} |" for name, settings in PRESETS.items()),
            "",
            *(line for name, kind in SECTIONS.items() for line in _section(name, kind)),
        ]
    )


def _preset(settings: dict[str, Any]) -> str:
    set_to = [f"{section}.{key} = {value}" for section, values in settings.items() for key, value in values.items()]
    return ", ".join(f"`{one}`" for one in set_to) or "nothing"


def _section(name: str, kind: type[Section]) -> Iterator[str]:
    yield from (f"## {name}", "", (inspect.getdoc(kind) or "").partition("\n")[0], "")
    yield from ("| setting | value | default | what |", "|---|---|---|---|")
    for key, field in kind.model_fields.items():
        yield f"| `{key}` | {_values(field.annotation, field.metadata)} | {_default(field)} | {field.description} |"
    yield ""


def _values(kind: Any, bounds: list[Any]) -> str:
    """What a setting may be, in words."""
    options = [option for option in get_args(kind) if option is not type(None)]
    if get_origin(kind) is Literal:
        return ", ".join(f"`{option}`" for option in options)
    if get_origin(kind) is tuple:
        return "tables" if issubclass(options[0], Section) else "files"
    if options:  # of a union; Annotated has its bounds behind its type
        is_annotated = hasattr(kind, "__metadata__")
        kinds = [(kind.__origin__, list(kind.__metadata__))] if is_annotated else [(one, bounds) for one in options]
        return ", or ".join(_values(*one) for one in kinds)
    words = {bool: "`true`, `false`", int: "whole number", float: "number", str: "text", Path: "file or directory"}
    return words[kind] + "".join(f", {_BOUNDS[type(bound)](bound)}" for bound in bounds if type(bound) in _BOUNDS)


_BOUNDS: dict[type, Any] = {
    Ge: lambda bound: f"at least {_number(bound.ge)}",
    Gt: lambda bound: f"over {_number(bound.gt)}",
    Le: lambda bound: f"at most {_number(bound.le)}",
    Lt: lambda bound: f"below {_number(bound.lt)}" if bound.lt < 2**63 else "below 2^63",
}


def _number(bound: float) -> str:
    return f"{bound:,}" if isinstance(bound, int) else f"{bound:g}"


def _default(field: FieldInfo) -> str:
    return f"`{json.dumps(field.default)}`" if field.default not in (None, ()) else ""
