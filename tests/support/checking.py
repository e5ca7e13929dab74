"""Checks asked as tests ask them: which of them find something in one pair of lines, and where."""

from mtcli.checking import CheckSettings, Finding, check

EN_DE, DE_EN, EN_KO, KO_EN, EN_FR, EN_JA = (
    ("en", "de"),
    ("de", "en"),
    ("en", "ko"),
    ("ko", "en"),
    ("en", "fr"),
    ("en", "ja"),
)


def findings_of(name: str, pair: tuple[str | None, str | None], source: str, target: str) -> list[Finding]:
    """What one check finds, all others left out."""
    return check(source, target, pair=pair, settings=CheckSettings(checks=frozenset({name})))


def marked(line: str, finding: Finding, side: str) -> list[str]:
    """The pieces of a line that a finding is about."""
    return [line[start:end] for start, end in getattr(finding, side)]
