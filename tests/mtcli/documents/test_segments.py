"""Whatever a translator does: codes and placeholders of a segment come back, each once, or the segment stays."""

import re
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.line_translators import Stub, identity, nasty, shouting

from mtcli.documents.segments import Keeping
from mtcli.documents.translate import DocumentOptions, filled
from mtcli.documents.units import Protection
from mtcli.errors import UsageError
from mtcli.formats.documents.model import (
    Code,
    CodeKind,
    Content,
    Filled,
    Outcome,
    Segment,
    codes_of,
    joined,
    pairs_of,
    plain,
)

OPEN, CLOSE, POINT = CodeKind.OPEN, CodeKind.CLOSE, CodeKind.POINT
KEEPING = Keeping(Protection(), ("{{{}}}", "X{}X"))
BREAK = Code(90, POINT, "<br>", "\n")


def fill(content: Content, stub: Stub, keeping: Keeping = KEEPING, **fields: object) -> Filled:
    [[found]] = filled([Segment(id="1", content=content, **fields)], stub, keeping)  # type: ignore[arg-type]
    return found


def bold(text: str, number: int = 0) -> tuple[str | Code, ...]:
    return Code(number, OPEN, "<b>"), text, Code(number, CLOSE, "</b>")


def written(content: Content | None) -> str:
    assert content is not None
    return "".join(piece if isinstance(piece, str) else piece.source for piece in content)


PIECES = ("%d", "%1$s", "%(name)s", "{name}", "{{x}}", "${x}", "https://example.com/a?b=1", "a@b.org", "/usr/bin", "🙂")
WORDS = st.lists(st.sampled_from(["one", "two", "Three", "four,", "five.", "(six)", *PIECES]), min_size=1, max_size=6)


@st.composite
def contents(draw: st.DrawFn) -> Content:
    """Text with placeholders, pairs in one another, points, breaks, opaque pairs and spaces at edges."""
    count = 0

    def pieces(depth: int) -> list[str | Code]:
        nonlocal count
        found: list[str | Code] = []
        for _ in range(draw(st.integers(1, 3))):
            kind = draw(st.sampled_from(["text", "text", "pair", "point", "opaque", "break"] if depth else ["text"]))
            text = " ".join(draw(WORDS))
            count += 1
            number = count
            if kind == "text":
                found += [draw(st.sampled_from(["", " "])), text, draw(st.sampled_from(["", " "]))]
            elif kind == "pair":
                found += [Code(number, OPEN, "<i>"), *pieces(depth - 1), Code(number, CLOSE, "</i>")]
            elif kind == "opaque":
                found += [Code(number, OPEN, "<k>", "", True), text, Code(number, CLOSE, "</k>")]
            else:
                found.append(Code(number, POINT, "<p/>", "\n" if kind == "break" else ""))
        return found

    return joined(pieces(2))


@given(contents(), st.sampled_from([identity(), shouting(), *nasty()]))
def test_codes_and_placeholders_survive_any_translator(content: Content, stub: Stub) -> None:
    found = fill(content, stub)
    if found.content is None:
        assert found.outcome in (Outcome.LEFT, Outcome.COPIED)
        return
    assert Counter(codes_of(found.content)) == Counter(codes_of(content))
    pairs_of(found.content)
    assert KEEPING.protection.texts(plain(found.content)) == KEEPING.protection.texts(plain(content))


@given(contents())
def test_a_translator_that_changes_nothing_changes_nothing(content: Content) -> None:
    found = fill(content, identity())
    assert found.content in (None, content)


@given(contents())
def test_the_same_alone_and_in_company(content: Content) -> None:
    others = [Segment(id=str(number), content=(f"{number} words",)) for number in range(3)]
    segments = [*others[:2], Segment(id="x", content=content), *others[2:]]
    for stub in nasty():
        [together] = [one for group in filled(segments, stub, KEEPING) for one in group if one.id == "x"]
        alone = fill(content, stub)
        assert (together.content, together.outcome) == (alone.content, alone.outcome)


def test_a_pair_goes_where_its_words_went() -> None:
    found = fill(("one ", *bold("two three"), " four"), shouting())
    assert written(found.content) == "FOUR <b>THREE TWO</b> ONE"


def test_marks_that_a_pair_leaves_out_stay_out() -> None:
    found = fill(("Press (", *bold("Save"), ")."), Stub(lambda line: line.replace("Save", "Sichern")))
    assert written(found.content) == "Press (<b>Sichern</b>)."


def test_what_stands_around_a_text_is_not_shown_to_the_model() -> None:
    stub = shouting()
    point = Code(5, POINT, "<x/>")
    found = fill((Code(0, OPEN, "<p>"), " ", point, "one two", Code(0, CLOSE, "</p>"), "\n"), stub)
    assert stub.asked == ["one two"]
    assert written(found.content) == "<p> <x/>TWO ONE</p>\n"


def test_lines_are_translated_by_themselves() -> None:
    stub = shouting()
    found = fill(("one two", BREAK, "three four\nfive six"), stub)
    assert stub.asked == ["one two", "three four", "five six"]
    assert written(found.content) == "TWO ONE<br>FOUR THREE\nSIX FIVE"


def test_a_point_stays_behind_its_word() -> None:
    found = fill(("one", Code(1, POINT, "<1/>"), " two ", Code(2, POINT, "<2/>"), "three"), shouting())
    assert written(found.content) == "<2/>THREE TWO ONE<1/>"


def test_a_note_s_number_is_no_part_of_the_word_it_is_on() -> None:
    note = (Code(1, OPEN, "<a>"), Code(2, OPEN, "<sup>"), "1", Code(2, CLOSE, "</sup>"), Code(1, CLOSE, "</a>"))
    stub = Stub(lambda line: line.replace("black", "schwarz"))
    found = fill(("a black", *note, " dog has ", *bold("5", 3), " legs.", *note), stub)
    assert stub.asked == ["a black dog has 5 legs."]
    assert written(found.content) == "a schwarz<a><sup>1</sup></a> dog has <b>5</b> legs.<a><sup>1</sup></a>"


def test_opaque_text_comes_back_with_its_codes() -> None:
    code = (Code(1, OPEN, "<code>", "", True), "git commit", Code(1, CLOSE, "</code>"))
    found = fill(("use ", *code, " daily"), Stub(lambda line: f"täglich {line.removesuffix(' daily')}"))
    assert written(found.content) == "täglich use <code>git commit</code>"


@pytest.mark.parametrize("piece", PIECES)
def test_the_ways_to_keep_a_piece(piece: str) -> None:
    content: Content = (f"open {piece} now",)
    copied = fill(content, Stub(lambda line: line.replace("open", "öffne")))
    assert (written(copied.content), copied.notes) == (f"öffne {piece} now", ("copied",))
    masked = fill(content, Stub(lambda line: "öffne X1X jetzt" if "X1X" in line else "öffne was"))
    assert (written(masked.content), masked.notes) == (f"öffne {piece} jetzt", ("masked",))
    words = {"open": "Öffne.", "now": "jetzt"}
    split = fill(content, Stub(lambda line: words.get(line, "?")))
    assert (written(split.content), split.notes) == (f"Öffne {piece} jetzt", ("split",))
    assert split.outcome is Outcome.REPAIRED


def test_what_a_pattern_names_is_kept() -> None:
    options = DocumentOptions(protect=(r"ACME \w+",))
    found = fill(("buy ACME rocket now",), shouting(), Keeping(options.protection()))
    assert "ACME rocket" in written(found.content)
    with pytest.raises(UsageError, match=r"--protect \(: no regular expression"):
        DocumentOptions(protect=("(",))


def test_messages_keep_their_branches() -> None:
    message = (
        "{n, plural, =0 {no '{files}'} one {# file of {name}} other {# files {g, select, a {good} other {bad}}}} left"
    )
    found = fill((message,), Stub(lambda line: line.upper() if "{" not in line and "#" not in line else line.title()))
    text = written(found.content)
    shape = re.compile(
        r"\{n, plural, =0 \{.*'\{files\}'.*\} one \{.*#.*\{name\}.*\} other \{.*#.*\{g, select, a \{GOOD\} "
    )
    assert shape.match(text), text
    assert text.endswith(" LEFT")


@pytest.mark.parametrize(
    "message", ["{n, plural, one {a}", "{n, plural, one {a} other}", "{n, plural, }", "} {n, plural, one {a}}"]
)
def test_messages_that_cannot_be_read_are_left(message: str) -> None:
    found = fill((message,), shouting())
    assert (found.content, found.outcome) == (None, Outcome.LEFT)


@pytest.mark.parametrize(
    ("source", "mark", "translation", "expected"),
    [
        ("_Open File", "_", "Datei offen", "Datei _offen"),
        ("_Read", "_", "Öl", "_Öl"),
        ("&File", "&", "Datei", "&Datei"),
        ("E&xit", "&", "Programm verlassen", "&Programm verlassen"),
        ("_Save…", "_", "저장…", "저장(_S)…"),
        ("File(&F)", "&", "Datei", "&Datei"),
    ],
)
def test_shortcuts_find_a_letter(source: str, mark: str, translation: str, expected: str) -> None:
    found = fill((source,), Stub(lambda line: translation), accelerator=mark)
    assert written(found.content) == expected


def test_what_the_file_keeps_and_what_has_no_words() -> None:
    assert fill(("Word",), shouting(), translate=False).outcome is Outcome.KEPT
    assert fill(("123 – %",), shouting()).outcome is Outcome.COPIED
    stub = shouting()
    assert written(fill(("{name}: {x}",), stub).content) == "{name}: {x}"
    assert stub.asked == []


def test_a_text_longer_than_its_place_is_said() -> None:
    found = fill(("ok",), Stub(lambda line: "in Ordnung"), most_characters=5)
    assert found.notes == ("longer than 5 characters",)


def cue(number: int, text: str | Content, *, joins: bool = False) -> Segment:
    return Segment(id=str(number), content=(text,) if isinstance(text, str) else text, joins=joins)


def together(segments: Sequence[Segment], stub: Stub) -> list[str]:
    return [written(one.content) for group in filled(segments, stub, KEEPING) for one in group]


def test_a_sentence_over_two_cues_is_read_as_one_and_split_where_its_words_are() -> None:
    stub = Stub(str.upper)
    found = together([cue(1, "when I was", joins=True), cue(2, ("very ", *bold("young"), " then"))], stub)
    assert stub.asked == ["when I was very young then"]
    assert found == ["WHEN I WAS", "VERY <b>YOUNG</b> THEN"]


def test_cues_are_split_evenly_where_words_change_places() -> None:
    found = together([cue(1, "a b c", joins=True), cue(2, "d e f")], shouting())
    assert [len(text.split()) for text in found] == [3, 3]


@given(st.lists(st.integers(1, 4), min_size=2, max_size=4), st.sampled_from([identity(), shouting(), *nasty()]))
def test_no_cue_is_ever_empty(lengths: list[int], stub: Stub) -> None:
    segments = [
        cue(number, " ".join(f"w{number}{n}" for n in range(length)), joins=number < len(lengths) - 1)
        for number, length in enumerate(lengths)
    ]
    found = [one for group in filled(segments, stub, KEEPING) for one in group]
    assert [one.id for one in found] == [segment.id for segment in segments]
    assert all(one.content is None or plain(one.content).strip() for one in found)
