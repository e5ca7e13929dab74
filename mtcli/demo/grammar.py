"""A bilingual grammar of everyday Korean and English, for a translation model to learn in minutes.

Each Korean sentence it writes has one English translation, so what a model gets wrong is the model's fault,
not the data's. Every sentence is built by one function, `_render`, from five slots: a subject, a form with
its time, a setting, a thing, and a verb. A `_Pattern` is five lists that go together; its sentences are
numbered, so that counting them and drawing one writes none of the others. The module reads in that order:
sentences, noun phrases, patterns, what the patterns say, drawing.
"""

import math
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, chain, islice, product
from typing import Any, Final, Literal, NamedTuple

from mtcli.demo import lexicon
from mtcli.demo.lexicon import Noun, Predicate, Verb, attach, copula, with_article

Tense = Literal["present", "past", "future"]
Modality = Literal["plain", "progressive", "want", "can", "must"]


@dataclass(frozen=True)
class Pair:
    """A Korean sentence and its English translation."""

    korean: str
    english: str


@dataclass(frozen=True)
class DemoCorpus:
    """Three disjoint lists of sentence pairs; the first of `test` is '나는 집에 간다.'."""

    train: list[Pair]
    valid: list[Pair]
    test: list[Pair]


@dataclass(frozen=True)
class Subject:
    """Who the sentence is about: `topic` is the Korean with its particle, empty where Korean has none."""

    topic: str
    english: str
    person: int = 3
    plural: bool = False

    @property
    def be(self) -> tuple[str, str]:
        """The present and the past of 'to be' that agree with it."""
        if self.plural or self.person == 2:
            return "are", "were"
        return "am" if self.person == 1 else "is", "was"


class Phrase(NamedTuple):
    """A part of a sentence, which English puts behind the verb, before it ('often'), or first ('why')."""

    korean: str
    english: str
    position: Literal["end", "middle", "front"] = "end"


class Form(NamedTuple):
    """What a verb is conjugated for."""

    tense: Tense = "present"
    modality: Modality = "plain"
    negative: bool = False
    asks: bool = False


class When(NamedTuple):
    """A form and a time that goes with its tense."""

    form: Form
    time: Phrase


class NounPhrase(NamedTuple):
    """A noun with what belongs to it, without a particle; `plural` is its number in English."""

    korean: str
    english: str
    plural: bool = False


def _topic(korean: str, english: str, person: int = 3, plural: bool = False) -> Subject:
    return Subject(attach(korean, "은/는"), english, person, plural)


_NOTHING: Final = Phrase("", "")
_WHO: Final = Subject("누가", "who")
_THERE: Final = (Subject("", "there"), Subject("", "there", plural=True))
_SPEAKERS: Final = (_topic("나", "I", 1), _topic("우리", "we", 1, plural=True))
_LISTENER: Final = _topic("너", "you", 2)
_ABSENT: Final = (_topic("그", "he"), _topic("그녀", "she"), _topic("그들", "they", plural=True))
_PRONOUNS: Final = (*_SPEAKERS, _LISTENER, *_ABSENT)
_PEOPLE: Final = (*lexicon.NAMES, *lexicon.PEOPLE)
_RELATIVES: Final = tuple(
    (f"{owner} {noun.korean}", f"{whose} {noun.english}")
    for (owner, whose), noun in product(lexicon.OWNERS, lexicon.FAMILY)
)
_OTHERS: Final = (*(_topic(*words) for words in _PEOPLE), _topic("아이들", "the children", plural=True))
_RELATED: Final = tuple(_topic(*words) for words in _RELATIVES)


def _join(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _with_modality(verb: Predicate, subject: Subject, form: Form) -> Predicate:
    match form.modality:
        case "progressive":
            return Predicate(f"{verb.stem}고 있", f"{verb.stem}고 있어", action=False)
        case "want":
            # Korean states a wish as felt (싶다) only of the one who speaks, or asks it of the one spoken to.
            if subject.person == (2 if form.asks else 1):
                return Predicate(f"{verb.stem}고 싶", f"{verb.stem}고 싶어", action=False)
            return Predicate(f"{verb.stem}고 싶어 하", f"{verb.stem}고 싶어 해")
        case "can":
            able = f"{verb.prospective} 수 "
            return Predicate(f"{able}있", f"{able}있어", action=False, opposite=f"{able}없")
        case "must":
            return Predicate(f"{verb.infinitive}야 하", f"{verb.infinitive}야 해")
        case "plain":
            return verb


def _conjugate(verb: Predicate, subject: Subject, form: Form) -> str:
    """The Korean verb with its auxiliaries and its ending."""
    predicate = _with_modality(verb, subject, form)
    if form.negative:
        predicate = predicate.negated()
    match form.tense:
        case "present":
            return predicate.question if form.asks else predicate.present
        case "past":
            return predicate.past_stem + ("니" if form.asks else "다")
        case "future":
            return predicate.prospective + (" 거니" if form.asks else " 것이다")


def _english_verb(verb: Verb, subject: Subject, form: Form) -> tuple[str, str]:
    """The English auxiliary ('' if it needs none) and the rest of the verb."""
    is_past = form.tense == "past"
    if form.tense == "future":
        return "will", verb.english
    if form.modality == "can":
        return "could" if is_past else "can", verb.english
    if form.modality == "progressive":
        return subject.be[is_past], _join(lexicon.present_participle(verb.head), verb.rest)
    if verb.head == "be":
        return subject.be[is_past], verb.rest
    if form.modality == "want":
        verb = Verb(verb.korean, f"want to {verb.english}")
    elif form.modality == "must":
        verb = Verb(verb.korean, f"have to {verb.english}", "had")
    agrees = subject.person == 3 and not subject.plural
    if form.negative or (form.asks and subject is not _WHO):
        return "did" if is_past else "does" if agrees else "do", verb.english
    if is_past:
        return "", _join(verb.past or lexicon.regular_past(verb.head), verb.rest)
    return "", _join(lexicon.third_person(verb.head) if agrees else verb.head, verb.rest)


def _render(subject: Subject, when: When, setting: Phrase, thing: Phrase, verb: Verb) -> Pair:
    """Both sentences: Korean in the order of the arguments, English with thing, setting and time last."""
    form, time = when
    mark = "?" if form.asks else "."
    predicate = _conjugate(verb.korean, subject, form)
    korean = _join(subject.topic, time.korean, setting.korean, thing.korean, predicate)

    front, middle, end = (
        _join(*(phrase.english for phrase in (thing, setting, time) if phrase.position == position))
        for position in ("front", "middle", "end")
    )
    auxiliary, main = _english_verb(verb, subject, form)
    inverted = form.asks and subject is not _WHO
    opening = [auxiliary, subject.english] if inverted else [subject.english, auxiliary]
    english = _join(front, *opening, "not" if form.negative else "", middle, main, end)
    english = english.replace("can not", "cannot")
    return Pair(korean + mark, english[0].upper() + english[1:] + mark)


def _bare(noun: Noun) -> list[NounPhrase]:
    """The noun alone, which English gives an article."""
    articled = {"count": with_article(noun.english), "definite": f"the {noun.english}"}
    return [NounPhrase(noun.korean, articled.get(noun.kind, noun.english), noun.kind == "plural")]


def _generic(noun: Noun) -> list[NounPhrase]:
    """The thing in general, as English likes or hates it: 'apples', 'coffee'."""
    return [NounPhrase(noun.korean, noun.plural, plural=True)] if noun.kind == "count" else _bare(noun)


def _pointed_at(noun: Noun) -> list[NounPhrase]:
    """This one, that one, somebody's."""
    if noun.kind == "fixed":
        return []
    plural = noun.kind == "plural"
    this_and_that = (("이", "these" if plural else "this"), ("그", "those" if plural else "that"))
    return [
        NounPhrase(f"{korean} {noun.korean}", f"{english} {noun.english}", plural)
        for korean, english in (*this_and_that, *lexicon.OWNERS)
    ]


def _described(noun: Noun) -> list[NounPhrase]:
    """The noun with each adjective that suits it."""
    phrases = []
    for name in noun.adjectives.split():
        english = f"{name} {noun.english}"
        articled = {"count": with_article(english), "definite": f"the {english}"}
        korean = f"{lexicon.ADJECTIVES[name].attributive} {noun.korean}"
        phrases.append(NounPhrase(korean, articled.get(noun.kind, english), noun.kind == "plural"))
    return phrases


def _counted(noun: Noun) -> list[NounPhrase]:
    """So many of the noun, with the counter Korean needs: 책 두 권, 커피 두 잔."""
    if noun.kind not in ("count", "mass") or not noun.counter:
        return []
    phrases = []
    for korean, number in lexicon.NUMBERS:
        plural = number != "one"
        if noun.measure:
            measure = lexicon.plural_of(noun.measure) if plural else noun.measure
            english = f"{number} {measure} of {noun.english}"
        else:
            english = f"{number} {noun.plural if plural else noun.english}"
        phrases.append(NounPhrase(f"{noun.korean} {korean} {noun.counter}", english, plural))
    return phrases


def _marked(phrases: Iterable[NounPhrase | tuple[str, str]], particle: str) -> list[Phrase]:
    return [Phrase(attach(phrase[0], particle), phrase[1]) for phrase in phrases]


# A slot's choices in groups, each with its share of the sentences: a slot has few short choices and many long
# ones, and drawing evenly would leave the short sentences out.
_Tiers = Sequence[tuple[float, Sequence[Any]]]


@dataclass(frozen=True)
class _Pattern:
    """The sentences that take one choice from each slot, in `_render`'s order, numbered from 0."""

    weight: float
    slots: tuple[Sequence[Any], ...]

    @property
    def size(self) -> int:
        return math.prod(len(slot) for slot in self.slots)

    def sentence(self, number: int) -> Pair:
        choices = []
        for slot in self.slots:
            number, choice = divmod(number, len(slot))
            choices.append(slot[choice])
        return _render(*choices)

    def shuffled(self, rng: random.Random) -> Iterator[Pair]:
        """Every sentence once, by a Fisher-Yates shuffle that remembers only the numbers it has moved."""
        moved: dict[int, int] = {}
        for last in range(self.size - 1, -1, -1):
            number = rng.randint(0, last)
            yield self.sentence(moved.get(number, number))
            moved[number] = moved.pop(last, last)


def _patterns_of(weight: float, *slots: _Tiers) -> Iterator[_Pattern]:
    """One pattern for each way to take a tier from each slot."""
    for tiers in product(*slots):
        share = math.prod(tier_weight for tier_weight, _ in tiers) / math.prod(
            sum(tier_weight for tier_weight, _ in slot) for slot in slots
        )
        pattern = _Pattern(weight * share, tuple(choices for _, choices in tiers))
        if pattern.size:
            yield pattern


def _only(*choices: Any) -> _Tiers:
    return ((1, choices),)


def _phrases(words: Iterable[tuple[str, str]]) -> list[Phrase]:
    return [Phrase(*pair) for pair in words]


def _forms(asks: bool, tenses: Sequence[Tense], modality: Modality = "plain") -> list[Form]:
    """The tenses of a verb, in statements also denied, except that duties are not."""
    negations = (False,) if asks or modality == "must" else (False, True)
    return [Form(tense, modality, negative, asks) for tense, negative in product(tenses, negations)]


def _whens(forms: Iterable[Form], times: Iterable[Phrase] = (_NOTHING,)) -> list[When]:
    return [When(*choice) for choice in product(forms, times)]


@cache
def _state(asks: bool) -> _Tiers:
    """What things are and were."""
    return _only(*_whens(_forms(asks, ("present", "past"))))


@cache
def _event(asks: bool) -> _Tiers:
    """What happens, did, will, ought to, can, or is about to, at no stated time."""
    modalities: tuple[Modality, ...] = ("progressive", "want", "can", "must")
    modal = [form for modality in modalities for form in _forms(asks, ("present", "past"), modality)]
    return (4, _whens(_forms(asks, ("present", "past", "future")))), (3, _whens(modal))


@cache
def _deed(asks: bool) -> _Tiers:
    """What people do, without and with a time."""
    forms = _forms(asks, ("present", "past", "future"))
    timed = [when for form in forms for when in _whens([form], _phrases(lexicon.TIMES[form.tense]))]
    often = [Phrase(*words, "middle") for words in lexicon.FREQUENCIES]
    now = _whens(_forms(asks, ("present",), "progressive"), [Phrase("지금", "now")])
    return (*_event(asks), (3, timed), (1, _whens([Form(asks=asks)], often)), (0.5, now))


_WHERE_TO: Final = Phrase("어디에", "where", "front")
_WHERE: Final = Phrase("어디에서", "where", "front")
_WHAT: Final = Phrase("무엇을", "what", "front")
_WHOM: Final = Phrase("누구를", "who", "front")
_WHEN_AND_WHY: Final = [
    *_whens(
        _forms(True, ("present", "past", "future")),
        [Phrase("언제", "when", "front"), Phrase("왜", "why", "front")],
    ),
    *_whens(_forms(True, ("present",), "progressive"), [Phrase("왜", "why", "front")]),
]
_ANYONE: Final = ((3, _PRONOUNS), (3, _OTHERS), (2, _RELATED))
_ANYONE_ELSE: Final = ((3, (_LISTENER, *_ABSENT)), *_ANYONE[1:])
_UNSAID: Final = _only(_NOTHING)


def _told_and_asked(
    weight: float,
    whens: Callable[[bool], _Tiers],
    *settings_things_verbs: _Tiers,
    told: _Tiers = _ANYONE,
    asked: _Tiers = _ANYONE_ELSE,
) -> Iterator[_Pattern]:
    """Statements and questions that take yes or no. Nobody asks what he does himself."""
    yield from _patterns_of(0.75 * weight, told, whens(False), *settings_things_verbs)
    yield from _patterns_of(0.25 * weight, asked, whens(True), *settings_things_verbs)


def _deeds(weight: float, verb: Verb, settings: _Tiers, things: _Tiers) -> Iterator[_Pattern]:
    """All that is said of something people do, except where, and to what."""
    verbs = _only(verb)
    yield from _told_and_asked(weight, _deed, settings, things, verbs)
    yield from _patterns_of(0.06 * weight, _only(_WHO), _deed(True), settings, things, verbs)
    yield from _patterns_of(0.06 * weight, _ANYONE_ELSE, _only(*_WHEN_AND_WHY), _UNSAID, things, verbs)


def _wondering(verb: Verb, setting: Phrase, things: _Tiers) -> Iterator[_Pattern]:
    """Questions whose setting or thing is the question word."""
    yield from _patterns_of(0.08, _ANYONE_ELSE, _deed(True), _only(setting), things, _only(verb))


def _things(nouns: Collection[Noun]) -> _Tiers:
    """Objects, plain ones as often as those with a determiner, an adjective or a number."""
    if not nouns:
        return _UNSAID
    shapes: tuple[tuple[float, Callable[[Noun], list[NounPhrase]]], ...]
    shapes = ((3, _bare), (1, _pointed_at), (1, _described), (1, _counted))
    return [(w, _marked([phrase for noun in nouns for phrase in shape(noun)], "을/를")) for w, shape in shapes]


def _actions() -> Iterator[_Pattern]:
    """What people do, alone and together, here and there."""
    companions = _phrases(lexicon.COMPANIONS)
    for action in lexicon.ACTIONS:
        places = [Phrase(f"{place}에서", lexicon.PLACES[place][1]) for place in action.places.split()]
        together = [
            Phrase(f"{companion.korean} {place.korean}", f"{companion.english} {place.english}")
            for companion, place in product(companions, places)
        ]
        things = _things(action.objects)
        yield from _deeds(1, action.verb, ((4, [_NOTHING]), (3, places), (1, companions), (1, together)), things)
        if places:
            yield from _wondering(action.verb, _WHERE, things)
        if action.objects and action.what:
            yield from _wondering(action.verb, _NOTHING, _only(_WHAT))


def _motions() -> Iterator[_Pattern]:
    """Where people go and where they live."""
    vehicles = [Phrase(attach(korean, "으로/로"), f"by {english}") for korean, english in lexicon.VEHICLES]
    on_foot = ((4, [_NOTHING]), (1, _phrases(lexicon.COMPANIONS)))
    goals = _only(*(Phrase(f"{place}에", to) for place, (to, _) in lexicon.PLACES.items()))
    for verb in lexicon.RIDES:
        yield from _deeds(2, verb, (*on_foot, (2, vehicles)), goals)
    yield from _wondering(lexicon.GO, _NOTHING, _only(_WHERE_TO))
    for verb in lexicon.WALKS:
        yield from _deeds(1, verb, on_foot, goals)
    directions = _only(*_marked(lexicon.CITIES, "으로/로"))
    yield from _deeds(1, lexicon.LEAVE, (*on_foot, (2, vehicles)), directions)
    homes = _only(*(Phrase(f"{city}에", f"in {english}") for city, english in lexicon.CITIES))
    yield from _told_and_asked(1, _event, _UNSAID, homes, _only(lexicon.LIVE))


def _dealings() -> Iterator[_Pattern]:
    """What people do to each other. Pronouns meet nouns and nouns pronouns, so that nobody meets himself."""
    others = _ANYONE[1:]
    sides = (
        (_only(*_PRONOUNS), _only(_LISTENER, *_ABSENT), (*_PEOPLE, *_RELATIVES)),
        (others, others, lexicon.OBLIQUE_PRONOUNS),
    )
    transfers = [(verb, lexicon.GIFTS) for verb in lexicon.TRANSFERS]
    for told, asked, people in sides:
        met = _only(*_marked(people, "을/를"))
        encounters = _only(*lexicon.ENCOUNTERS)
        yield from _told_and_asked(2, _deed, _UNSAID, met, encounters, told=told, asked=asked)
        affections = _only(*lexicon.AFFECTIONS)
        yield from _told_and_asked(1, _state, _UNSAID, met, affections, told=told, asked=asked)
        recipients = _only(*(Phrase(f"{korean}에게", f"to {english}") for korean, english in people))
        for verb, nouns in (*transfers, (lexicon.TEACH, lexicon.STUDIES)):
            things = _things(nouns)
            yield from _told_and_asked(0.5, _deed, recipients, things, _only(verb), told=told, asked=asked)
    for verb in lexicon.ENCOUNTERS:
        yield from _wondering(verb, _NOTHING, _only(_WHOM))


def _possessions() -> Iterator[_Pattern]:
    """What people like and have."""
    liked = (*lexicon.FOODS, *lexicon.DRINKS, *lexicon.SPORTS, *lexicon.STUDIES, *lexicon.PETS)
    tastes = _only(*_marked([phrase for noun in liked for phrase in _generic(noun)], "을/를"))
    yield from _told_and_asked(1.5, _state, _UNSAID, tastes, _only(*lexicon.TASTES))
    had = (*lexicon.PETS, *lexicon.SIBLINGS, *lexicon.APPOINTMENTS, lexicon.CAR, lexicon.BICYCLE)
    belongings = _only(*_marked([phrase for noun in had for phrase in _bare(noun)], "이/가"))
    yield from _told_and_asked(1.5, _state, _UNSAID, belongings, _only(lexicon.HAVE))


def _professions() -> Iterator[_Pattern]:
    """What people are and become: one of them a doctor, several of them doctors."""
    # 'The doctor is a doctor' says nothing.
    everyone = (*_PRONOUNS, *_OTHERS[: len(lexicon.NAMES)], *_RELATED)
    one = [phrase for noun in lexicon.JOBS for phrase in (*_bare(noun), *_described(noun))]
    several = [phrase for noun in lexicon.JOBS for phrase in _generic(noun)]
    for jobs, plural, weight in ((one, False, 1.5), (several, True, 0.5)):
        told = _only(*(subject for subject in everyone if subject.plural == plural))
        asked = _only(*(s for s in everyone if s.plural == plural and s not in _SPEAKERS))
        are = _only(*(Verb(copula(korean), f"be {english}") for korean, english, _ in jobs))
        yield from _told_and_asked(weight, _state, _UNSAID, _UNSAID, are, told=told, asked=asked)
        things, become = _only(*_marked(jobs, "이/가")), _only(lexicon.BECOME)
        yield from _told_and_asked(weight, _event, _UNSAID, things, become, told=told, asked=asked)


def _described_as(names: Iterable[str], weight: float, told: _Tiers, asked: _Tiers) -> Iterator[_Pattern]:
    """What somebody or something is like, and, where it is not denied, how much so."""
    predicates = [(name, lexicon.ADJECTIVES[name].predicate) for name in names]
    plain = [Verb(predicate, f"be {name}") for name, predicate in predicates if predicate]
    very = [
        Verb(verb.korean.after(korean), f"be {english} {verb.rest}")
        for verb, (korean, english) in product(plain, lexicon.DEGREES)
    ]
    yield from _told_and_asked(weight, _state, _UNSAID, _UNSAID, _only(*plain), told=told, asked=asked)
    for subjects, asks in ((told, False), (asked, True)):
        affirmed = _only(*_whens(Form(tense, asks=asks) for tense in ("present", "past")))
        yield from _patterns_of(0.25 * weight, subjects, affirmed, _UNSAID, _UNSAID, _only(*very))


def _descriptions() -> Iterator[_Pattern]:
    """What people and things are like."""
    yield from _described_as((*lexicon.STATES, *lexicon.TRAITS), 2, _ANYONE, _ANYONE_ELSE)
    for noun in lexicon.THINGS:
        subjects = _only(*(_topic(k, e, plural=plural) for k, e, plural in _pointed_at(noun)))
        yield from _described_as(noun.adjectives.split(), 0.1, subjects, subjects)


def _whereabouts() -> Iterator[_Pattern]:
    """What there is in a place, and where somebody or something is."""
    spots, being = _only(*_phrases(lexicon.SPOTS)), _only(lexicon.BE_SOMEWHERE)
    items = (*lexicon.BELONGINGS, *lexicon.PETS)
    found = [p for noun in items for p in (*_bare(noun), *_described(noun), *_counted(noun))]
    for there in _THERE:
        things = _only(*_marked((phrase for phrase in found if phrase.plural == there.plural), "이/가"))
        yield from _told_and_asked(1, _state, spots, things, being, told=_only(there), asked=_only(there))
    subjects = _only(*(_topic(*phrase[:2]) for noun in items for phrase in _pointed_at(noun)))
    yield from _told_and_asked(1, _state, _UNSAID, spots, being, told=subjects, asked=subjects)
    places = _only(*(Phrase(f"{place}에", at) for place, (_, at) in lexicon.PLACES.items()))
    yield from _told_and_asked(1, _state, _UNSAID, places, being)
    for whose in (subjects, _ANYONE_ELSE):
        yield from _patterns_of(0.3, whose, _state(True), _UNSAID, _only(_WHERE_TO), being)


@cache
def _patterns() -> tuple[_Pattern, ...]:
    parts = (_actions, _motions, _dealings, _possessions, _professions, _descriptions, _whereabouts)
    return tuple(pattern for part in parts for pattern in part())


def num_sentences() -> int:
    """How many distinct Korean sentences the grammar has."""
    return sum(pattern.size for pattern in _patterns())


HELD_OUT: Final = Pair("나는 집에 간다.", "I go home.")
"""The sentence the demo shows: first of every test list, and in no training list."""
_LESSONS: Final = (Pair("나는 학교에 간다.", "I go to school."), Pair("우리는 집에 온다.", "We come home."))
"""The first of every training list, so that it has each word of HELD_OUT."""
_PATIENCE: Final = 30_000
"""How many sentences to look through for those to hold out; a few thousand training sentences need few."""


def _drawn(rng: random.Random) -> Iterator[Pair]:
    """Every sentence once, in a random order that keeps to the patterns' weights while they last."""
    streams = [(pattern.weight, pattern.shuffled(rng)) for pattern in _patterns()]
    while streams:
        cumulative = list(accumulate(weight for weight, _ in streams))
        chosen = rng.choices(range(len(streams)), cum_weights=cumulative)[0]
        while (pair := next(streams[chosen][1], None)) is not None:
            yield pair
            chosen = rng.choices(range(len(streams)), cum_weights=cumulative)[0]
        del streams[chosen]


def _words(pair: Pair) -> list[str]:
    return [word.rstrip(".?") for word in f"{pair.korean} {pair.english}".split()]


def generate(*, num_train: int = 10_000, num_valid: int = 200, num_test: int = 200, seed: int = 1) -> DemoCorpus:
    """So many distinct sentence pairs, the same ones for the same seed.

    No Korean and no English sentence of `valid` or `test` stands in another list, but all of their words
    (as they are written, less the full stop) stand in `train`: only how they are put together is new.
    Raises ValueError for a negative number, for more sentences than the grammar has, and for a training list
    too short to hold the words of the others.
    """
    wanted = num_train + num_valid + num_test
    if min(num_train, num_valid, num_test) < 0:
        raise ValueError(f"cannot write {num_train}, {num_valid} and {num_test} sentences: none may be negative")
    if wanted > num_sentences():
        raise ValueError(
            f"{wanted:,} sentences were asked for, but the demo's grammar has only {num_sentences():,}; ask for fewer"
        )
    reserved = (HELD_OUT, *_LESSONS)
    fresh = (pair for pair in _drawn(random.Random(seed)) if pair not in reserved)
    train = [*_LESSONS[:num_train], *islice(fresh, max(0, num_train - len(_LESSONS)))]
    held_out = _hold_out(train, chain((HELD_OUT,), islice(fresh, _PATIENCE)), num_valid + num_test)
    return DemoCorpus(train, valid=held_out[num_test:], test=held_out[:num_test])


def _hold_out(train: Sequence[Pair], candidates: Iterable[Pair], num_wanted: int) -> list[Pair]:
    """The first candidates that are new to `train`, and to each other, on both sides, in words it has."""
    known = {word for pair in train for word in _words(pair)}
    taken = {side for pair in train for side in (pair.korean, pair.english)}
    held_out: list[Pair] = []
    for pair in candidates:
        if len(held_out) == num_wanted:
            break
        if taken.isdisjoint((pair.korean, pair.english)) and known.issuperset(_words(pair)):
            held_out.append(pair)
            taken.update((pair.korean, pair.english))
    if len(held_out) < num_wanted:
        raise ValueError(
            f"{len(train):,} training sentences have the words of only {len(held_out):,} others, and "
            f"{num_wanted:,} were asked for to validate and test; train on more or hold out fewer"
        )
    return held_out
