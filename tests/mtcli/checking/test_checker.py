"""All checks together."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtcli.checking import CHECK_NAMES, CHECKS, CheckSettings, TranslationChecker, check
from mtcli.errors import ConfigError

LINES = st.text(
    st.sampled_from("aabeinst AB.,!?()\"„“0129%${}<>/@:한국어漢字かなпр\u00a0\u3000😀\u200b\ufeff-_'"), max_size=80
)
PAIRS = st.tuples(
    st.sampled_from(["en", "de", "ko", "ja", "ru", None]), st.sampled_from(["en", "de", "ko", "zh", "xx"])
)


@given(LINES, LINES, PAIRS)
def test_any_lines_can_be_checked_and_places_lie_inside(source: str, target: str, pair: tuple[str, str]) -> None:
    for finding in check(source, target, pair=pair, log_prob=-9.0, num_tokens=2):
        assert finding.check in CHECK_NAMES and finding.message
        for line, wheres in ((source, finding.source), (target, finding.target)):
            assert all(0 <= start < end <= len(line) for start, end in wheres)


@given(LINES)
def test_a_line_is_no_fault_of_itself_in_one_language(line: str) -> None:
    assert {one.check for one in check(line, line, pair=("en", "en"))} <= {"empty", "quote", "bracket"}


def test_everyday_translations_have_no_findings() -> None:
    for pair, source, target in (
        (("en", "de"), "I bought two books for $12.50 yesterday.", "Ich habe gestern zwei Bücher für 12,50 $ gekauft."),
        (("en", "ko"), "Where is the station?", "역이 어디에 있나요?"),
        (("ko", "en"), "회의는 오후 3시에 시작합니다.", "The meeting starts at 3 p.m."),
        (("en", "fr"), "A man in a blue shirt is standing.", "Un homme en chemise bleue est debout."),
        (("en", "ja"), "Version 2.11.0 was released on May 5.", "バージョン 2.11.0 は5月5日にリリースされました。"),
    ):
        assert check(source, target, pair=pair) == []


def test_what_the_checks_are_there_for() -> None:
    checker = TranslationChecker(("en", "de"))
    url = checker.check("https://example.com/path?x=1", "httpspathsespathsespathsespathses")
    price = checker.check("The price is $1,299.99 (incl. VAT).", "Der Preis beträgt 1.399,99 € (inkl. MwSt.")
    interface = checker.check("Click <b>Save</b> to store %d files in {folder}.", "KLICKEN SIE Speichern in Ordner.")
    assert {"loop", "url"} <= {one.check for one in url}
    assert {one.check for one in price} == {"number", "unit", "bracket"}
    assert {one.check for one in interface} >= {"tag", "placeholder", "untranslated-capitals"}


def test_only_the_checks_wanted_are_made() -> None:
    source, target = "See https://example.com (2).", "Siehe auf der Seite (3."
    assert {one.check for one in check(source, target, pair=("en", "de"))} == {"url", "number", "bracket"}
    settings = CheckSettings(checks=frozenset({"url"}))
    assert [one.check for one in check(source, target, pair=("en", "de"), settings=settings)] == ["url"]


def test_a_check_that_there_is_not_is_named() -> None:
    with pytest.raises(ConfigError, match=r"no check loops\. There are: empty, invented, loop"):
        TranslationChecker(("en", "de"), CheckSettings(checks=frozenset({"loops"})))


def test_every_check_says_what_it_finds() -> None:
    assert len(set(CHECK_NAMES)) == len(CHECKS)
    assert all(one.finds for one in CHECKS)


def test_one_checker_serves_several_threads() -> None:
    checker = TranslationChecker(("en", "de"))
    pairs = [(f"There are {number} dogs.", f"Dort sind {number + number % 2} Hunde.") for number in range(13, 400)]
    alone = [checker.check(*pair) for pair in pairs]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda pair: checker.check(*pair), pairs)) == alone
    assert sum(map(bool, alone)) > 100


def test_checking_loads_nothing_large() -> None:
    program = (
        "import sys; from mtcli.checking import check; check('A dog, 2.', 'Ein Hund, 3.', pair=('en', 'de'));"
        "print(*sorted({'torch', 'numpy', 'pydantic', 'sentencepiece', 'rich', 'typer'} & set(sys.modules)))"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout.split() == []


LETTERS_AND_MARKS = ["a", "가", "1", "_", "(", "[)", "{", "<!--", "<a ", "<a b", "a.", "a_", "/a", "\\", "%", "$", "`"]
LONGER = [
    "{n,plural,",
    "{n, plural, one {",
    "https://",
    "that is the dog of ",
    "a@",
    "1,",
    "1만",
    "&a",
    "1 ",
    "AB ",
    "「",
]


@pytest.mark.parametrize("piece", [*LETTERS_AND_MARKS, *LONGER])
def test_a_huge_line_of_anything_ends(piece: str) -> None:
    """None of the searches may take time that grows with the square of a line's length: this would not end."""
    line = piece * (60_000 // len(piece))
    for pair in (("en", "de"), ("ko", "ja")):
        checker = TranslationChecker(pair)
        checker.check(line, line[1:] + "é")
        checker.check("A dog. A cat, 2.", line + "é")
