"""Letters and words of a language that was not wanted."""

import pytest
from support.checking import EN_DE, EN_FR, EN_JA, EN_KO, KO_EN, findings_of, marked


@pytest.mark.parametrize(
    ("name", "pair", "source", "target"),
    [
        ("script", EN_DE, "Good day to you.", "Guten Tag привет."),
        ("script", EN_DE, "Good day to you.", "좋은 하루 되세요."),
        ("script", EN_KO, "Good day to you.", "좋은 こんにちは 하루."),
        ("script", EN_KO, "The house is on the hill.", "das haus steht auf dem hügel"),
        ("script", EN_JA, "Good day to you.", "안녕하세요"),
        ("language", EN_DE, "He is in the garden with her.", "Il est dans le jardin avec elle pour la nuit."),
        ("language", EN_FR, "The dog is here and it is not mine.", "Der Hund ist hier und das ist nicht meiner."),
        ("language", KO_EN, "그는 정원에 있다.", "Er ist mit dem Hund und der Katze im Garten."),
    ],
)
def test_it_is_found(name: str, pair: tuple[str, str], source: str, target: str) -> None:
    [finding] = findings_of(name, pair, source, target)
    assert finding.target


def test_strange_letters_are_marked() -> None:
    target = "Guten Tag привет."
    [finding] = findings_of("script", EN_DE, "Good day.", target)
    assert marked(target, finding, "target") == ["привет"]


@pytest.mark.parametrize(
    ("name", "pair", "source", "target"),
    [
        ("script", EN_DE, "The word привет is Russian.", "Das Wort привет ist russisch."),
        ("script", EN_DE, "an angle of α degrees", "ein Winkel von α Grad"),
        ("script", EN_KO, "Install Home Assistant with git pull.", "git pull로 Home Assistant를 설치하세요."),
        ("script", EN_KO, "the character 大", "한자 大"),
        ("script", EN_JA, "Run the app.", "アプリを実行します。"),
        ("script", EN_KO, "GitHub", "GitHub"),
        ("script", (None, None), "Good day.", "привет"),
        ("language", EN_DE, "We saw The Lord of the Rings.", "Wir sahen The Lord of the Rings und es war gut."),
        ("language", EN_DE, "He is in the garden.", "Er ist im Garten."),
        ("language", ("en", "fi"), "He is here.", "Hän on the and of."),
    ],
)
def test_it_may_be_so(name: str, pair: tuple[str | None, str | None], source: str, target: str) -> None:
    assert findings_of(name, pair, source, target) == []
