"""URLs, addresses, placeholders and tags that must stay."""

import pytest
from support.checking import EN_DE, EN_KO, findings_of, marked


@pytest.mark.parametrize(
    ("name", "source", "target", "lost", "new"),
    [
        (
            "url",
            "See https://a.org/x?y=1.",
            "Siehe https://a.org/x?y=2.",
            ["https://a.org/x?y=1"],
            ["https://a.org/x?y=2"],
        ),
        ("url", "See www.example.com", "Siehe die Seite", ["www.example.com"], []),
        ("email", "Ask me@example.com", "Frag mich@example.com", ["me@example.com"], ["mich@example.com"]),
        ("placeholder", "%d files in {folder}", "%s Dateien in {Ordner}", ["%d", "{folder}"], ["%s", "{Ordner}"]),
        ("placeholder", "{0} of {1}", "{0} von {0}", ["{1}"], ["{0}"]),
        ("placeholder", "Hello %(name)s", "Hallo %(Name)s", ["%(name)s"], ["%(Name)s"]),
        ("placeholder", "{name} is here", "{ name} ist hier", ["{name}"], ["{ name}"]),
        ("tag", "Click <b>Save</b>", "<b>Speichern anklicken", ["</b>"], []),
        ("tag", "Click <x/> now", "Jetzt klicken", ["<x/>"], []),
    ],
)
def test_a_change_is_found(name: str, source: str, target: str, lost: list[str], new: list[str]) -> None:
    [finding] = findings_of(name, EN_DE, source, target)
    assert (marked(source, finding, "source"), marked(target, finding, "target")) == (lost, new)


@pytest.mark.parametrize(
    ("name", "source", "target"),
    [
        ("url", "See https://a.org/en/x", "Siehe https://a.org/de/x"),
        ("url", "See http://a.org/", "Siehe https://www.a.org"),
        ("url", "https://a.org을 보세요 https://b.org", "https://b.org https://a.org"),
        ("email", "Ask Me@Example.com", "Frag me@example.com"),
        ("placeholder", "%1$s of %2$s", "%2$s von %1$s"),
        ("placeholder", "{{count}} files", "{{ count }} Dateien"),
        ("placeholder", "{n, plural, one {# file} other {# files}}", "{n, plural, one {# Datei} other {# Dateien}}"),
        ("placeholder", "100% of it", "100 % davon"),
        ("placeholder", "$2 charge", "2 Dollar"),
        ("tag", "Click <b>Save</b>", "<b>Speichern</b> anklicken"),
        ("tag", 'A <a href="/en">link</a>', 'Ein <a href="/de">Link</a>'),
        ("tag", "the <file> given", "die <Datei>"),
        ("tag", "a < b > c", "a < b > c"),
    ],
)
def test_what_may_differ(name: str, source: str, target: str) -> None:
    assert findings_of(name, EN_DE, source, target) == []


def test_a_particle_written_onto_a_placeholder_is_no_change() -> None:
    source, target = "Open %s, {file} and report.pdf", "%s을(를) {file}과 report.pdf를 엽니다"
    assert findings_of("placeholder", EN_KO, source, target) == []


def test_several_are_told_in_the_plural() -> None:
    [finding] = findings_of("placeholder", EN_DE, "{a} {b}", "nichts")
    assert finding.message == 'the placeholders "{a}", "{b}" are missing'
