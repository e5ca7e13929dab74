"""The demo's grammar: right Korean, right English, one translation each, and an honest split."""

import random
import unicodedata
from functools import cache
from itertools import pairwise, product
from typing import Any

import pytest

from mtcli.demo import grammar, lexicon
from mtcli.demo.grammar import DemoCorpus, Pair, generate, num_sentences
from mtcli.demo.lexicon import Predicate, attach, copula, final_consonant

SEEDS = (1, 2, 3)


@cache
def corpus(seed: int) -> DemoCorpus:
    return generate(num_train=5_000, num_valid=150, num_test=150, seed=seed)


@cache
def big_sample() -> list[Pair]:
    return generate(num_train=30_000, num_valid=0, num_test=0, seed=11).train


def words(pairs: list[Pair]) -> set[str]:
    return {word.rstrip(".?") for pair in pairs for word in f"{pair.korean} {pair.english}".split()}


def sides(pairs: list[Pair]) -> set[str]:
    return {side for pair in pairs for side in (pair.korean, pair.english)}


def derivations(korean: str) -> set[str]:
    """Every English sentence that any pattern of the grammar gives this Korean one."""
    fitting: dict[int, list[Any]] = {}

    def fit(slot: Any) -> list[Any]:
        if id(slot) not in fitting:
            fitting[id(slot)] = [choice for choice in slot if might_stand_in(korean, choice)]
        return fitting[id(slot)]

    found = set()
    for pattern in grammar._patterns():
        for choices in product(*map(fit, pattern.slots)):
            pair = grammar._render(*choices)
            if pair.korean == korean:
                found.add(pair.english)
    return found


def might_stand_in(korean: str, choice: Any) -> bool:
    """False if a slot's choice cannot be part of the sentence, by what conjugation leaves alone."""
    match choice:
        case grammar.Subject():
            return korean.startswith(choice.topic) if choice.topic else True
        case grammar.When():
            return choice.time.korean in korean and choice.form.asks == korean.endswith("?")
        case grammar.Phrase():
            return choice.korean in korean
        case lexicon.Verb():
            return choice.korean.stem[:-1] in korean
    raise AssertionError(choice)


@pytest.mark.parametrize(
    ("noun", "particle", "expected"),
    [
        ("나", "은/는", "나는"),
        ("선생님", "은/는", "선생님은"),
        ("사과", "을/를", "사과를"),
        ("책", "을/를", "책을"),
        ("고양이", "이/가", "고양이가"),
        ("수업", "이/가", "수업이"),
        ("버스", "으로/로", "버스로"),
        ("지하철", "으로/로", "지하철로"),
        ("부산", "으로/로", "부산으로"),
        ("서울", "은/는", "서울은"),
    ],
)
def test_particle_follows_the_final_consonant(noun: str, particle: str, expected: str) -> None:
    assert attach(noun, particle) == expected


def test_final_consonant_reads_the_last_syllable() -> None:
    assert [final_consonant(word) for word in ("가", "각", "서울", "값", "힣")] == [0, 1, 8, 18, 27]


@pytest.mark.parametrize("word", ["", "book", "ㄱ", "책."])
def test_particle_needs_a_hangul_syllable(word: str) -> None:
    with pytest.raises(ValueError, match="Hangul"):
        attach(word, "은/는")


@pytest.mark.parametrize(
    ("predicate", "present", "past", "prospective", "question", "negated"),
    [
        (Predicate("가", "가"), "간다", "갔", "갈", "가니", "가지 않는다"),
        (Predicate("먹", "먹어"), "먹는다", "먹었", "먹을", "먹니", "먹지 않는다"),
        (Predicate("만들", "만들어"), "만든다", "만들었", "만들", "만드니", "만들지 않는다"),
        (Predicate("듣", "들어"), "듣는다", "들었", "들을", "듣니", "듣지 않는다"),
        (Predicate("마시", "마셔"), "마신다", "마셨", "마실", "마시니", "마시지 않는다"),
        (Predicate("크", "커", action=False), "크다", "컸", "클", "크니", "크지 않다"),
    ],
)
def test_plain_style_conjugation(
    predicate: Predicate, present: str, past: str, prospective: str, question: str, negated: str
) -> None:
    assert predicate.present == present
    assert predicate.past_stem == past
    assert predicate.prospective == prospective
    assert predicate.question == question
    assert predicate.negated().present == negated


def test_copula_follows_the_final_consonant() -> None:
    assert [copula(noun).present for noun in ("학생", "의사")] == ["학생이다", "의사다"]
    assert [copula(noun).past_stem for noun in ("학생", "의사")] == ["학생이었", "의사였"]
    assert [copula(noun).negated().present for noun in ("학생", "의사")] == ["학생이 아니다", "의사가 아니다"]


def test_english_inflection() -> None:
    verbs = ("go", "watch", "study", "play", "have")
    assert [lexicon.third_person(verb) for verb in verbs] == ["goes", "watches", "studies", "plays", "has"]
    regular = ("work", "dance", "study", "play", "plan", "open")
    pasts = ["worked", "danced", "studied", "played", "planned", "opened"]
    assert [lexicon.regular_past(verb) for verb in regular] == pasts
    ongoing = ("go", "make", "swim", "study", "open", "see")
    participles = ["going", "making", "swimming", "studying", "opening", "seeing"]
    assert [lexicon.present_participle(verb) for verb in ongoing] == participles
    assert [lexicon.with_article(noun) for noun in ("apple", "red apple")] == ["an apple", "a red apple"]


@pytest.mark.parametrize(
    ("korean", "english"),
    [
        ("나는 집에 간다.", "I go home."),
        ("그녀는 버스로 학교에 간다.", "She goes to school by bus."),
        ("나는 어제 친구와 함께 집에서 빵을 먹었다.", "I ate bread with a friend at home yesterday."),
        ("민수는 오렌지 두 개를 샀다.", "Minsu bought two oranges."),
        ("그들은 커피 세 잔을 마시지 않았다.", "They did not drink three cups of coffee."),
        ("나는 재미있는 책을 읽고 싶다.", "I want to read an interesting book."),
        ("그는 재미있는 책을 읽고 싶어 한다.", "He wants to read an interesting book."),
        ("너는 음악을 듣고 싶니?", "Do you want to listen to music?"),
        ("우리는 작은 창문을 열 수 없다.", "We cannot open the small window."),
        ("지민은 지금 케이크를 만들고 있다.", "Jimin is making a cake now."),
        ("유나는 숙제를 해야 했다.", "Yuna had to do homework."),
        ("내 어머니는 자주 시장에 걸어간다.", "My mother often walks to the market."),
        ("너는 어디에 가니?", "Where do you go?"),
        ("아이들은 왜 울고 있니?", "Why are the children crying?"),
        ("누가 어제 문을 열었니?", "Who opened the door yesterday?"),
        ("그는 무엇을 보니?", "What does he watch?"),
        ("선생님은 누구를 기다릴 거니?", "Who will the teacher wait for?"),
        ("나는 그녀에게 편지를 보낼 것이다.", None),
        ("수진은 그녀에게 편지를 보낼 것이다.", "Sujin will send a letter to her."),
        ("나는 학생이다.", "I am a student."),
        ("우리는 의사가 아니었다.", "We were not doctors."),
        ("그의 딸은 의사가 될 것이다.", "His daughter will become a doctor."),
        ("그 신발은 매우 비쌌다.", "Those shoes were very expensive."),
        ("네 열쇠는 책상 위에 있니?", "Is your key on the desk?"),
        ("방에 고양이 두 마리가 있다.", "There are two cats in the room."),
        ("나는 시간이 없다.", "I do not have time."),
        ("준호는 서울로 떠났다.", "Junho left for Seoul."),
        ("준호는 서울에 산다.", "Junho lives in Seoul."),
        ("준호는 사과를 산다.", "Junho buys an apple."),
        ("준호는 사과를 좋아한다.", "Junho likes apples."),
    ],
)
def test_known_sentence_has_this_translation_and_no_other(korean: str, english: str | None) -> None:
    # None: pronouns deal with nouns only, lest 'he' and 'him' be one person.
    assert derivations(korean) == ({english} if english else set())


def test_no_sentence_has_two_translations() -> None:
    for pair in big_sample()[:15]:
        assert derivations(pair.korean) == {pair.english}


def test_small_patterns_share_no_korean_sentence() -> None:
    seen: dict[str, str] = {}
    for pattern in grammar._patterns():
        if pattern.size <= 24:
            for number in range(pattern.size):
                pair = pattern.sentence(number)
                assert seen.setdefault(pair.korean, pair.english) is pair.english, pair


def test_big_sample_is_a_function_of_the_korean() -> None:
    translations = {pair.korean: pair.english for pair in big_sample()}
    assert len(translations) == len(big_sample()) == 30_000


def test_a_pattern_draws_each_of_its_sentences_once() -> None:
    pattern = max((p for p in grammar._patterns() if p.size < 500), key=lambda p: p.size)
    drawn = list(pattern.shuffled(random.Random(1)))
    assert len(drawn) == len({pair.korean for pair in drawn}) == pattern.size


def test_subjects_agree_with_their_verbs() -> None:
    right = ("I am ", "He is ", "She was ", "They were ", "Minsu is ", "He goes ", "She has ", "We do not ")
    wrong = ("I is ", "I are ", "He are ", "They is ", "They was ", "We am ", "You was ", "You is ", "He go ")
    english = [pair.english for pair in big_sample()]
    assert all(any(sentence.startswith(opening) for sentence in english) for opening in right)
    assert not [sentence for sentence in english if sentence.startswith(wrong)]


def test_articles_suit_the_next_word() -> None:
    for pair in big_sample():
        tokens = pair.english.rstrip(".?").split()
        for article, following in pairwise(tokens):
            if article in ("a", "an"):
                assert (article == "an") == (following[0] in "aeiou"), pair


def test_topics_suit_their_nouns() -> None:
    before_nouns = {word for adjective in lexicon.ADJECTIVES.values() for word in adjective.attributive.split()}
    for pair in big_sample():
        for word in pair.korean.rstrip(".?").split()[:2]:
            if word[-1] in "은는" and word not in before_nouns:
                assert (word[-1] == "은") == bool(final_consonant(word[:-1])), pair


def test_sentences_are_tidy() -> None:
    for pair in big_sample():
        for sentence in (pair.korean, pair.english):
            assert unicodedata.is_normalized("NFC", sentence)
            assert sentence == " ".join(sentence.split())
            assert sentence[-1] in ".?"
            assert not set(".?") & set(sentence[:-1])
        assert pair.korean[-1] == pair.english[-1]
        assert pair.english[0].isupper()


def test_there_are_tens_of_thousands_of_sentences() -> None:
    assert num_sentences() > 100_000


@pytest.mark.parametrize("seed", SEEDS)
def test_the_seed_decides(seed: int) -> None:
    assert generate(num_train=5_000, num_valid=150, num_test=150, seed=seed) == corpus(seed)
    assert corpus(seed).train != corpus(seed + 1).train


@pytest.mark.parametrize("seed", SEEDS)
def test_sizes_are_those_asked_for(seed: int) -> None:
    lists = corpus(seed)
    assert [len(pairs) for pairs in (lists.train, lists.valid, lists.test)] == [5_000, 150, 150]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_shown_sentence_is_the_first_test(seed: int) -> None:
    assert corpus(seed).test[0] == Pair("나는 집에 간다.", "I go home.")


@pytest.mark.parametrize("seed", SEEDS)
def test_held_out_sentences_are_new_on_both_sides(seed: int) -> None:
    lists = corpus(seed)
    assert not sides(lists.train) & sides(lists.valid + lists.test)
    assert not sides(lists.valid) & sides(lists.test)
    everything = lists.train + lists.valid + lists.test
    assert len({pair.korean for pair in everything}) == len(everything)


@pytest.mark.parametrize("seed", SEEDS)
def test_held_out_words_occur_in_training(seed: int) -> None:
    lists = corpus(seed)
    assert words(lists.valid + lists.test) <= words(lists.train)


def test_a_small_corpus_keeps_the_guarantees() -> None:
    lists = generate(num_train=300, num_valid=5, num_test=5, seed=4)
    assert lists.test[0].english == "I go home."
    assert words(lists.valid + lists.test) <= words(lists.train)


def test_more_sentences_than_the_grammar_has() -> None:
    with pytest.raises(ValueError, match=f"only {num_sentences():,}"):
        generate(num_train=num_sentences() + 1)


def test_too_little_training_to_hold_out_from() -> None:
    with pytest.raises(ValueError, match="train on more or hold out fewer"):
        generate(num_train=1, num_valid=0, num_test=1)


def test_negative_size() -> None:
    with pytest.raises(ValueError, match="negative"):
        generate(num_valid=-1)
