"""Xcode's string catalogues: what a language lacks is filled in, all else stays."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.documents import check_identity, read, saved, shout, texts, translate, write

from mtcli.errors import DataError, UsageError
from mtcli.formats.documents.model import Filled, ReadOptions, plain
from mtcli.formats.documents.xcstrings import FORMAT

GERMAN = ReadOptions(target_language="de")


def unit(value: str, state: str = "translated") -> dict[str, Any]:
    return {"stringUnit": {"state": state, "value": value}}


def plural(**forms: str) -> dict[str, Any]:
    return {"variations": {"plural": {form: unit(value) for form, value in forms.items()}}}


ENTRIES: dict[str, dict[str, Any]] = {
    "none": {},
    "key alone": {"Open it": {}},
    "empty key": {"": {}, "Open it": {}},
    "comment": {"Open it": {"comment": "A button", "extractionState": "manual"}},
    "source": {"open": {"localizations": {"en": unit("Open it now")}}},
    "other languages": {"Open it": {"localizations": {"aa": unit("x"), "fr": unit("Ouvrir"), "zh-Hans": unit("y")}}},
    "later language": {"Open it": {"localizations": {"fr": unit("Ouvrir")}}},
    "done": {"Open it": {"localizations": {"de": unit("Öffnen"), "fr": unit("Ouvrir")}}},
    "new": {"Open it": {"localizations": {"de": unit("", "new")}}},
    "unreviewed": {"Open it": {"localizations": {"de": unit("Auf", "needs_review")}}},
    "not to be translated": {"MyApp Pro": {"shouldTranslate": False}},
    "plural": {"%lld files": {"localizations": {"en": plural(one="%lld file", other="%lld files")}}},
    "plural done": {
        "%lld files": {
            "localizations": {
                "de": plural(one="%lld Datei", other="%lld Dateien"),
                "en": plural(one="%lld file", other="%lld files"),
            }
        }
    },
    "plural done as text": {
        "%lld files": {"localizations": {"de": unit("Dateien"), "en": plural(one="%lld file", other="%lld files")}}
    },
    "device": {
        "Tap it": {
            "localizations": {
                "en": {
                    "variations": {
                        "device": {
                            "iphone": unit("Tap it"),
                            "mac": plural(one="Click one", other="Click them"),
                            "other": unit("Press it"),
                        }
                    }
                }
            }
        }
    },
    "substitutions": {
        "%lld x": {"localizations": {"en": {**unit("%#@a@ x y"), "substitutions": {"a": {"argNum": 1}}}}}
    },
    "odd keys": {'a "b" \\ c\n': {}, "é 漢": {"comment": "c"}, "  x y ": {}},
    "empty localizations": {"Open it": {"localizations": {}}},
    "many": {f"Key number {number}": {} for number in range(5)},
}


def content(entries: dict[str, Any], colon: str = " : ", **ways: Any) -> str:
    ways = {"indent": 2, "ensure_ascii": False, **ways}
    whole = {"sourceLanguage": "en", "strings": entries, "version": "1.0"}
    return json.dumps(whole, separators=(",", colon), **ways)


FILES = {
    **{name: content(entries) for name, entries in ENTRIES.items()},
    "crlf": content(ENTRIES["other languages"]).replace("\n", "\r\n") + "\r\n",
    "tabs": content(ENTRIES["plural"], ": ", indent="\t"),
    "one line": content(ENTRIES["comment"] | ENTRIES["later language"], ":", indent=None),
    "escaped": content(ENTRIES["odd keys"], ensure_ascii=True),
    "mark": "\ufeff" + content(ENTRIES["source"]),
    "xcode's empty objects": content(ENTRIES["many"]).replace("{}", "{\n\n    }"),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("language", ["de", "ru", "ja"])
def test_translations_that_change_nothing_change_nothing(name: str, language: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "x.xcstrings", FILES[name])
    check_identity(FORMAT, path, ReadOptions(target_language=language))
    check_identity(FORMAT, path, ReadOptions(target_language=language, fuzzy=True))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("language", ["de", "ru", "ja"])
def test_what_is_written_has_what_was_filled_in_and_all_else(name: str, language: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "x.xcstrings", FILES[name])
    options = ReadOptions(target_language=language, fuzzy=True)
    before = read(FORMAT, path, options)
    after = saved(tmp_path, "y.xcstrings", translate(FORMAT, path, options=options))
    wanted = [plain(shout(one.content)) if one.translate else plain(one.target or ()) for one in before]
    again = read(FORMAT, after, options)
    assert [(one.id, plain(one.target or ()).strip()) for one in again] == [
        (one.id, text.strip()) for one, text in zip(before, wanted, strict=True)
    ]
    old, new = (json.loads(one.read_bytes().decode("utf-8-sig")) for one in (path, after))
    for catalogue in (old, new):
        for entry in catalogue["strings"].values():
            entry.get("localizations", {}).pop(language, None)
            if not entry.get("localizations", True):
                del entry["localizations"]
    assert old == new


def test_it_is_written_as_xcode_writes(tmp_path: Path) -> None:
    path = saved(tmp_path, "x.xcstrings", FILES["other languages"])
    written = write(FORMAT, path, [Filled("Open it", ("Öffnen",))], GERMAN).decode()
    entries = {
        "Open it": {
            "localizations": {
                "aa": unit("x"),
                "de": unit("Öffnen", "needs_review"),
                "fr": unit("Ouvrir"),
                "zh-Hans": unit("y"),
            }
        }
    }
    assert written == content(entries)
    path = saved(tmp_path, "x.xcstrings", FILES["comment"])
    written = write(FORMAT, path, [Filled("Open it", ("Öffnen",))], GERMAN).decode()
    entry = {
        "comment": "A button",
        "extractionState": "manual",
        "localizations": {"de": unit("Öffnen", "needs_review")},
    }
    assert written == content({"Open it": entry})
    path = saved(tmp_path, "x.xcstrings", FILES["later language"])
    written = write(FORMAT, path, [Filled("Open it", ("Öffnen",))], GERMAN).decode()
    assert written == content(
        {"Open it": {"localizations": {"de": unit("Öffnen", "needs_review"), "fr": unit("Ouvrir")}}}
    )
    path = saved(tmp_path, "x.xcstrings", FILES["key alone"])
    written = write(FORMAT, path, [Filled("Open it", ("Öffnen",))], GERMAN).decode()
    assert written == content({"Open it": {"localizations": {"de": unit("Öffnen", "needs_review")}}})


def test_which_texts_are_filled(tmp_path: Path) -> None:
    def found(name: str, **options: Any) -> list[str]:
        path = saved(tmp_path, "x.xcstrings", FILES[name])
        return texts(read(FORMAT, path, ReadOptions(**{"target_language": "de", **options})))

    assert found("source") == ["Open it now"]
    assert found("plural") == ["%lld file", "%lld files"]
    assert found("plural", target_language="ru") == ["%lld file", "%lld files", "%lld files", "%lld files"]
    assert found("plural", target_language="ja") == ["%lld files"]
    assert found("device") == ["Tap it", "Click one", "Click them", "Press it"]
    for name in ("done", "unreviewed", "plural done", "plural done as text", "not to be translated", "substitutions"):
        assert found(name) == []
    assert found("unreviewed", fuzzy=True) == ["Open it"]
    assert found("done", target_language="DE") == []


@pytest.mark.parametrize(
    ("data", "line", "what"),
    [
        (b"[]", 1, "no string catalogue"),
        (b'{"strings": 1}', 1, "no string catalogue"),
        (b'{"sourceLanguage": "en",\n"strings": {"a": 1}}', 2, "an entry is an object"),
        (b'{"sourceLanguage": "en",\n"strings": {"a": {}', 2, "not JSON"),
        (b'{"strings": {"\xff', 1, "not valid UTF-8"),
    ],
)
def test_what_is_damaged_is_told_with_its_line(data: bytes, line: int, what: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "x.xcstrings", data)
    with pytest.raises(DataError, match=f"x.xcstrings:{line}: .*{what}"):
        read(FORMAT, path, GERMAN)


def test_the_target_language_is_needed(tmp_path: Path) -> None:
    path = saved(tmp_path, "x.xcstrings", FILES["source"])
    for language in ("", "en", "EN"):
        with pytest.raises(UsageError, match="language to fill in"):
            read(FORMAT, path, ReadOptions(target_language=language))


@given(
    st.dictionaries(st.text(min_size=1, max_size=12), st.sampled_from(list(ENTRIES.values())), max_size=4),
    st.booleans(),
)
def test_made_up_catalogues(tmp_path_factory: pytest.TempPathFactory, entries: dict[str, Any], is_ascii: bool) -> None:
    chosen = {key: next(iter(one.values()), {}) for key, one in entries.items()}
    path = saved(tmp_path_factory.mktemp("catalogue"), "x.xcstrings", content(chosen, ensure_ascii=is_ascii))
    check_identity(FORMAT, path, GERMAN)
    written = json.loads(translate(FORMAT, path, options=GERMAN))
    assert list(written["strings"]) == list(chosen)
