"""Numbers as languages write them, in digits and in words."""

import pytest
from support.checking import DE_EN, EN_DE, EN_FR, EN_JA, EN_KO, KO_EN, findings_of, marked

from mtcli.checking.numbers import readings


@pytest.mark.parametrize(
    ("pair", "source", "target"),
    [
        (EN_DE, "It costs $1,299.99.", "Es kostet 1.299,99 $."),
        (EN_FR, "It costs $1,299.99.", "Cela coûte 1 299,99 $."),
        (EN_FR, "It costs 1,299 dollars.", "Cela coûte 1\u202f299 dollars."),
        (DE_EN, "1.000 Menschen", "1,000 people"),
        (EN_DE, "two dogs", "2 Hunde"),
        (EN_DE, "2 dogs", "zwei Hunde"),
        (EN_DE, "22 dogs and 30 cats", "zweiundzwanzig Hunde und dreißig Katzen"),
        (DE_EN, "21 Hunde", "twenty-one dogs"),
        (EN_FR, "92 and 21 of them", "quatre-vingt-douze et vingt et un"),
        (EN_KO, "3 people and 20 dogs", "세 명과 스무 마리"),
        (EN_KO, "30,000 people", "3만 명"),
        (KO_EN, "1억 2천만 원", "120 million won"),
        (KO_EN, "10억 달러", "a billion dollars"),
        (EN_KO, "3.5 million", "350만"),
        (EN_JA, "120 million yen", "1億2000万円"),
        (EN_JA, "three dogs on 12 days", "3匹の犬、十二日"),
        (EN_JA, "15 books", "１５冊の本"),
        (EN_DE, "$1.5 million", "1.500.000 Dollar"),
        (EN_DE, "1.5 billion", "1,5 Milliarden"),
        (EN_DE, "at 3 p.m.", "um 15 Uhr"),
        (EN_DE, "at 7:30 pm", "um 19.30 Uhr"),
        (EN_DE, "from 10:00 to 12", "von 10 bis 12 Uhr"),
        (EN_KO, "at 15:00", "오후 3시에"),
        (EN_DE, "March 5, 2024", "5. März 2024"),
        (EN_DE, "03/05/2024", "05.03.2024"),
        (EN_DE, "2024-03-05", "5. März 2024"),
        (EN_KO, "December 24", "12월 24일"),
        (KO_EN, "만 원을 주웠다", "I found 10,000 won"),
        (EN_KO, "1 person, 2 cups", "한 명, 두 잔"),
        (EN_KO, "in 1 week and 21 days", "일 주 스물하나 일"),
        (EN_FR, "in the 19th century", "au XIXe siècle"),
        (EN_DE, "the 1st and the 2nd", "der erste und der zweite"),
        (EN_DE, "in the 1970s", "in den siebziger Jahren"),
        (EN_DE, "season 2011/12", "Saison 2011/2012"),
        (EN_DE, "50 ft above", "15 Meter darüber"),
        (EN_DE, "at 130 mph", "mit 210 km/h"),
        (EN_DE, "a dozen eggs", "12 Eier"),
        (EN_DE, "version 2.11.0", "Version 2.11.0"),
        (EN_DE, "five million copies", "5 Millionen Exemplare"),
        (EN_DE, "the number 007", "die Nummer 7"),
        (EN_DE, "$2 for coffee", "2 Dollar für Kaffee"),
        (("en", "xx"), "12 dogs", "dose kuchi"),
        ((None, None), "1,299 and 1.5", "1.299 und 1,5"),
        (EN_DE, "no number at all", "gar keine Zahl"),
    ],
)
def test_numbers_that_are_the_same(pair: tuple[str | None, str | None], source: str, target: str) -> None:
    assert findings_of("number", pair, source, target) == []


@pytest.mark.parametrize(
    ("pair", "source", "target", "lost", "new"),
    [
        (EN_DE, "It costs $1,299.99.", "Es kostet 1.399,99 $.", ["1,299.99"], ["1.399,99"]),
        (EN_DE, "1,299 people", "1,299 Menschen", ["1,299"], ["1,299"]),
        (EN_DE, "It costs 1.5 euros.", "Es kostet 15 Euro.", ["1.5"], ["15"]),
        (EN_DE, "two dogs", "3 Hunde", [], ["3"]),
        (EN_DE, "in 1999", "im Jahr 1989", ["1999"], ["1989"]),
        (EN_DE, "There are 45 dogs.", "Dort sind Hunde.", ["45"], []),
        (EN_DE, "There are dogs.", "Dort sind 45 Hunde.", [], ["45"]),
        (EN_KO, "30,000 people", "3천 명", ["30,000"], ["3"]),
        (EN_KO, "2 of this one", "이것은 한다", ["2"], []),
        (EN_KO, "1 of them", "한다", ["1"], []),
        (KO_EN, "1억 원", "10 million won", ["1"], ["10"]),
        (EN_JA, "120 yen", "210円", ["120"], ["210"]),
        (EN_DE, "at 3 p.m.", "um 16 Uhr", ["3"], ["16"]),
        (EN_DE, "March 5, 2024", "6. März 2024", ["5"], ["6"]),
        (EN_DE, "50 ft above", "50 Meter und 20 darüber", [], ["20"]),
        (EN_FR, "1,299 dollars", "1 399 dollars", ["1,299"], ["1", "399"]),
        (("en", "xx"), "1234 dogs", "dose kuchi", ["1234"], []),
    ],
)
def test_numbers_that_changed(
    pair: tuple[str | None, str | None], source: str, target: str, lost: list[str], new: list[str]
) -> None:
    [finding] = findings_of("number", pair, source, target)
    assert (marked(source, finding, "source"), marked(target, finding, "target")) == (lost, new)


@pytest.mark.parametrize(
    ("text", "decimal", "first"),
    [
        ("1,299.99", ".", ("1299.99",)),
        ("1.299,99", ".", ("1299.99",)),
        ("1,299", ".", ("1299",)),
        ("1,299", ",", ("1.299",)),
        ("0,299", ".", ("0.299",)),
        ("1.299.000", ",", ("1299000",)),
        ("7:30", ".", ("7", "30")),
        ("1'299", ",", ("1299",)),
        ("05.03.2024", ",", ("5", "3", "2024")),
        ("1.50", ".", ("1.5",)),
        ("１２", ".", ("12",)),
        ("007", ".", ("7",)),
        ("000", ".", ("0",)),
    ],
)
def test_the_likeliest_reading(text: str, decimal: str, first: tuple[str, ...]) -> None:
    assert readings(text, decimal)[0] == first


def test_digits_of_protected_text_are_no_numbers() -> None:
    source = "See https://example.com/2 and %1$s in {0}."
    assert findings_of("number", EN_DE, source, "Siehe https://example.com/3 und %2$s in {1}.") == []


@pytest.mark.parametrize(
    ("source", "target", "was", "now"),
    [
        ("It costs $35.", "Es kostet 35 €.", "$", "€"),
        ("It costs 35 dollars.", "Es kostet 35 Pfund.", "dollars", "Pfund"),
        ("a run of 12 km", "ein Lauf von 12 m", "km", "m"),
        ("8 GB of memory", "8 MB Speicher", "GB", "MB"),
        ("40 °C", "40 °F", "°C", "°F"),
    ],
)
def test_a_changed_unit_is_found(source: str, target: str, was: str, now: str) -> None:
    [finding] = findings_of("unit", EN_DE, source, target)
    assert (marked(source, finding, "source"), marked(target, finding, "target")) == ([was], [now])


@pytest.mark.parametrize(
    ("pair", "source", "target"),
    [
        (EN_DE, "It costs $35.", "Es kostet 35 Dollar."),
        (EN_DE, "50 percent", "50 %"),
        (EN_KO, "$35 and 3 km", "35달러, 3킬로미터"),
        (EN_FR, "50% of 8 GB", "50 % de 8 Go"),
        (EN_DE, "50 ft above", "15 Meter darüber"),
        (EN_DE, "3 m", "drei Meter"),
        (EN_DE, "the euro and the dollar", "der Euro und der Dollar"),
    ],
)
def test_units_that_are_the_same(pair: tuple[str, str], source: str, target: str) -> None:
    assert findings_of("unit", pair, source, target) == []
