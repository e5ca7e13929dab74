"""The words of the demo's Korean-English grammar, and how each of them inflects. Two thirds are tables.

Korean endings and particles depend on whether the syllable before them closes with a consonant. A Hangul
syllable's code point says so: they stand in one block from U+AC00 on, 28 to each onset and vowel, the first
of the 28 open and the others one for each final consonant.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

_FIRST_SYLLABLE: Final = 0xAC00
_LAST_SYLLABLE: Final = 0xD7A3
_FINALS: Final = 28
_NIEUN: Final = 4
_RIEUL: Final = 8
_DOUBLE_SIOT: Final = 20


def final_consonant(word: str) -> int:
    """The final consonant (batchim) of a word's last syllable, 1-27 in Unicode's order, or 0 if it is open.

    Raises ValueError where the word does not end in a Hangul syllable.
    """
    code = ord(word[-1]) if word else 0
    if not _FIRST_SYLLABLE <= code <= _LAST_SYLLABLE:
        raise ValueError(f"{word!r} does not end in a Hangul syllable, so no particle can be chosen for it")
    return (code - _FIRST_SYLLABLE) % _FINALS


def attach(noun: str, particle: str) -> str:
    """`noun` with a particle, whose shapes after a consonant and after a vowel are given: '은/는', '으로/로'.

    After ㄹ, 으로 loses its vowel as it does after an open syllable: 지하철로, 서울로.
    """
    closed, opened = particle.split("/")
    final = final_consonant(noun)
    is_open = final == 0 or (final == _RIEUL and closed.startswith("으"))
    return noun + (opened if is_open else closed)


def _replace_final(word: str, final: int) -> str:
    return word[:-1] + chr(ord(word[-1]) - final_consonant(word) + final)


@dataclass(frozen=True)
class Predicate:
    """A Korean verb or adjective, conjugated in the plain style.

    `stem` is what -다 is added to, `infinitive` the stem with -아/어 (먹, 먹어), where irregular verbs show.
    Adjectives and 있다 (`action` false) take no -는다. `opposite` is the stem of the word that denies this
    one, where there is one: 없다 for 있다.
    """

    stem: str
    infinitive: str
    action: bool = True
    opposite: str = ""

    @property
    def present(self) -> str:
        """간다, 먹는다, 만든다; 크다."""
        if not self.action:
            return self.stem + "다"
        if final_consonant(self.stem) in (0, _RIEUL):
            return _replace_final(self.stem, _NIEUN) + "다"
        return self.stem + "는다"

    @property
    def past_stem(self) -> str:
        """갔, 먹었, 들었: -다 or -니 follows."""
        return _replace_final(self.infinitive, _DOUBLE_SIOT)

    @property
    def prospective(self) -> str:
        """갈, 먹을, 만들, 들을: what stands before 것이다 and 수 있다."""
        final = final_consonant(self.stem)
        if final in (0, _RIEUL):
            return _replace_final(self.stem, _RIEUL)
        return self.infinitive[:-1] + "을"

    @property
    def question(self) -> str:
        """가니, 먹니, 만드니."""
        is_rieul = final_consonant(self.stem) == _RIEUL
        return (_replace_final(self.stem, 0) if is_rieul else self.stem) + "니"

    def after(self, adverb: str) -> "Predicate":
        """매우 크다."""
        return Predicate(f"{adverb} {self.stem}", f"{adverb} {self.infinitive}", self.action)

    def negated(self) -> "Predicate":
        """가지 않다, 크지 않다, 없다."""
        if self.opposite:
            return Predicate(self.opposite, self.opposite + "어", action=False)
        return Predicate(self.stem + "지 않", self.stem + "지 않아", self.action)


def copula(noun: str) -> Predicate:
    """'to be' that noun: 학생이다 and 의사다, denied by 학생이 아니다 and 의사가 아니다."""
    opposite = attach(noun, "이/가") + " 아니"
    if final_consonant(noun):
        return Predicate(noun + "이", noun + "이어", action=False, opposite=opposite)
    return Predicate(noun, noun + "여", action=False, opposite=opposite)


@dataclass(frozen=True)
class Verb:
    """A Korean predicate and its English, whose first word inflects: 'go', 'listen to', 'be very big'."""

    korean: Predicate
    english: str
    past: str = ""
    """The past of the English first word, where it is not regular."""

    @property
    def head(self) -> str:
        return self.english.split(" ")[0]

    @property
    def rest(self) -> str:
        return self.english[len(self.head) :].strip()


_DOUBLES_ITS_LAST_LETTER: Final = re.compile(r"[^aeiou]*[aeiou][^aeiouwxy]")


def third_person(verb: str) -> str:
    """'goes', 'watches', 'studies', 'has' of an English base form."""
    if verb == "have":
        return "has"
    if re.search(r"[^aeiou]y$", verb):
        return verb[:-1] + "ies"
    return verb + ("es" if verb.endswith(("s", "sh", "ch", "x", "o")) else "s")


def regular_past(verb: str) -> str:
    """'worked', 'danced', 'studied', 'planned' of an English base form."""
    if re.search(r"[^aeiou]y$", verb):
        return verb[:-1] + "ied"
    doubled = verb[-1] if _DOUBLES_ITS_LAST_LETTER.fullmatch(verb) else ""
    return verb + ("d" if verb.endswith("e") else doubled + "ed")


def present_participle(verb: str) -> str:
    """'going', 'making', 'swimming' of an English base form."""
    doubled = verb[-1] if _DOUBLES_ITS_LAST_LETTER.fullmatch(verb) else ""
    return re.sub(r"(?<=[^aeiou])e$", "", verb) + doubled + "ing"


def plural_of(noun: str) -> str:
    """'boxes', 'puppies' of a regular English noun: its ending is that of a verb's third person."""
    return third_person(noun)


def with_article(english: str) -> str:
    """'a red apple', 'an apple'. No word here begins with a silent h or a 'you' sound."""
    return ("an " if english[0] in "aeiou" else "a ") + english


NounKind = Literal["count", "mass", "plural", "definite", "fixed"]


@dataclass(frozen=True)
class Noun:
    """A noun in both languages.

    `kind` says what the bare Korean noun is in English: 'a book', 'coffee', 'noodles', 'the door', or words
    that take nothing else ('soccer', 'the piano'). `counter` is the word that Korean counts it with (none: it
    is not counted), `measure` what English counts a mass by: 커피 두 잔, 'two cups of coffee'.
    """

    korean: str
    english: str
    adjectives: str = ""
    """English names of ADJECTIVES that suit it, separated by spaces."""
    kind: NounKind = "count"
    counter: str = "개"
    measure: str = ""
    irregular_plural: str = ""

    @property
    def plural(self) -> str:
        return self.irregular_plural or plural_of(self.english)


@dataclass(frozen=True)
class Adjective:
    """A Korean adjective before a noun (큰) and as a predicate (크다), which new (새) and old have not."""

    attributive: str
    predicate: Predicate | None = None


def _adjective(attributive: str, stem: str, infinitive: str) -> Adjective:
    return Adjective(attributive, Predicate(stem, infinitive, action=False))


ADJECTIVES: Final = {
    "big": _adjective("큰", "크", "커"),
    "small": _adjective("작은", "작", "작아"),
    "red": _adjective("빨간", "빨갛", "빨개"),
    "blue": _adjective("파란", "파랗", "파래"),
    "white": _adjective("하얀", "하얗", "하얘"),
    "expensive": _adjective("비싼", "비싸", "비싸"),
    "cheap": _adjective("싼", "싸", "싸"),
    "delicious": _adjective("맛있는", "맛있", "맛있어"),
    "hot": _adjective("뜨거운", "뜨겁", "뜨거워"),
    "cold": _adjective("차가운", "차갑", "차가워"),
    "sweet": _adjective("단", "달", "달아"),
    "interesting": _adjective("재미있는", "재미있", "재미있어"),
    "difficult": _adjective("어려운", "어렵", "어려워"),
    "beautiful": _adjective("아름다운", "아름답", "아름다워"),
    "sad": _adjective("슬픈", "슬프", "슬퍼"),
    "long": _adjective("긴", "길", "길어"),
    "short": _adjective("짧은", "짧", "짧아"),
    "heavy": _adjective("무거운", "무겁", "무거워"),
    "cute": _adjective("귀여운", "귀엽", "귀여워"),
    "clean": _adjective("깨끗한", "깨끗하", "깨끗해"),
    "new": Adjective("새"),
    "old": Adjective("오래된"),
    "good": _adjective("좋은", "좋", "좋아"),
    "famous": _adjective("유명한", "유명하", "유명해"),
    "young": _adjective("젊은", "젊", "젊어"),
    "kind": _adjective("친절한", "친절하", "친절해"),
    "smart": _adjective("똑똑한", "똑똑하", "똑똑해"),
    "strong": _adjective("강한", "강하", "강해"),
    "tall": _adjective("키가 큰", "키가 크", "키가 커"),
    "busy": _adjective("바쁜", "바쁘", "바빠"),
    "happy": _adjective("행복한", "행복하", "행복해"),
    "tired": _adjective("피곤한", "피곤하", "피곤해"),
    "sick": _adjective("아픈", "아프", "아파"),
    "hungry": _adjective("배가 고픈", "배가 고프", "배가 고파"),
}
TRAITS: Final = ("young", "kind", "smart", "strong", "tall", "famous")
STATES: Final = ("busy", "happy", "tired", "sick", "hungry", "sad")

BOOK: Final = Noun("책", "book", "interesting new old", counter="권")
NOVEL: Final = Noun("소설", "novel", "interesting long", counter="권")
LETTER: Final = Noun("편지", "letter", "long short", counter="통")
SONG: Final = Noun("노래", "song", "sad beautiful", counter="곡")
CAKE: Final = Noun("케이크", "cake", "sweet delicious")
SANDWICH: Final = Noun("샌드위치", "sandwich", "delicious big")
NOODLES: Final = Noun("국수", "noodles", "hot delicious", "plural", counter="")
FLOWER: Final = Noun("꽃", "flower", "red beautiful", counter="송이")
HAT: Final = Noun("모자", "hat", "blue white expensive")
BAG: Final = Noun("가방", "bag", "heavy new expensive")
CUP: Final = Noun("컵", "cup", "white small")
KEY: Final = Noun("열쇠", "key", "small old")
PENCIL: Final = Noun("연필", "pencil", "long blue", counter="자루")
UMBRELLA: Final = Noun("우산", "umbrella", "red new")
GIFT: Final = Noun("선물", "gift", "small expensive")
PHOTO: Final = Noun("사진", "photo", "old beautiful", counter="장", irregular_plural="photos")
BICYCLE: Final = Noun("자전거", "bicycle", "new red", counter="대")
CAR: Final = Noun("자동차", "car", "white expensive", counter="대")
COMPUTER: Final = Noun("컴퓨터", "computer", "new cheap", counter="대")
CAT: Final = Noun("고양이", "cat", "white cute", counter="마리")
PUPPY: Final = Noun("강아지", "puppy", "small cute", counter="마리")
RABBIT: Final = Noun("토끼", "rabbit", "white small", counter="마리")
NEWS: Final = Noun("뉴스", "the news", kind="fixed")
HOMEWORK: Final = Noun("숙제", "homework", "difficult", "mass", counter="")


def _pairs(table: str) -> tuple[tuple[str, str], ...]:
    """The pairs of 'korean=english; korean=english'."""
    entries = (entry.strip().partition("=") for entry in table.split(";"))
    return tuple((korean, english) for korean, _, english in entries)


def _fixed(table: str) -> tuple[Noun, ...]:
    return tuple(Noun(korean, english, kind="fixed") for korean, english in _pairs(table))


FOODS: Final = (
    Noun("사과", "apple", "red delicious"),
    Noun("오렌지", "orange", "sweet cheap"),
    Noun("달걀", "egg", "big"),
    Noun("빵", "bread", "delicious cheap", "mass", counter=""),
    Noun("밥", "rice", "hot", "mass", counter=""),
    Noun("고기", "meat", "expensive", "mass", counter=""),
    CAKE,
    SANDWICH,
    NOODLES,
)
DRINKS: Final = (
    Noun("물", "water", "cold clean", "mass", "잔", "glass"),
    Noun("우유", "milk", "cold", "mass", "잔", "glass"),
    Noun("주스", "juice", "sweet", "mass", "잔", "glass"),
    Noun("커피", "coffee", "hot delicious", "mass", "잔", "cup"),
    Noun("녹차", "green tea", "hot", "mass", "잔", "cup"),
)
READINGS: Final = (BOOK, NOVEL, LETTER, Noun("신문", "newspaper", "old", counter=""))
WRITINGS: Final = (LETTER, NOVEL, Noun("시", "poem", "short sad", counter="편"))
SHOWS: Final = (
    Noun("영화", "movie", "interesting sad", counter="편"),
    Noun("드라마", "drama", "long", counter="편"),
    NEWS,
    Noun("텔레비전", "television", kind="fixed"),
)
SOUNDS: Final = (
    SONG,
    NEWS,
    Noun("음악", "music", "beautiful", "mass", counter=""),
    Noun("라디오", "the radio", kind="fixed"),
)
CLOTHES: Final = (
    Noun("옷", "clothes", "new cheap clean", "plural", counter=""),
    Noun("신발", "shoes", "white old expensive", "plural", counter=""),
)
PETS: Final = (CAT, PUPPY, RABBIT)
BELONGINGS: Final = (BOOK, HAT, BAG, CUP, KEY, PENCIL, UMBRELLA)
WARES: Final = (*BELONGINGS, *CLOTHES, FLOWER, BICYCLE, CAR, COMPUTER)
GIFTS: Final = (FLOWER, BOOK, HAT, GIFT, PHOTO, LETTER, CAKE)
ROOMS: Final = (
    Noun("방", "room", "small clean", "definite"),
    Noun("집", "house", "big old", "definite"),
    Noun("부엌", "kitchen", "clean", "definite"),
    Noun("교실", "classroom", "big", "definite"),
)
OPENINGS: Final = (
    Noun("문", "door", "heavy", "definite"),
    Noun("창문", "window", "small", "definite"),
    Noun("상자", "box", "red", "definite"),
)
THINGS: Final = (
    *FOODS,
    *DRINKS,
    *READINGS[1:],
    *SHOWS[:2],
    *WARES,
    *PETS,
    *ROOMS,
    *OPENINGS,
    PHOTO,
    GIFT,
    SONG,
)
"""What is described; each once."""
STUDIES: Final = _fixed("한국어=Korean; 영어=English; 수학=math; 역사=history; 과학=science")
SPORTS: Final = _fixed("축구=soccer; 농구=basketball; 야구=baseball; 테니스=tennis")
INSTRUMENTS: Final = _fixed("피아노=the piano; 기타=the guitar")
APPOINTMENTS: Final = (
    Noun("약속", "appointment"),
    Noun("수업", "class"),
    Noun("시간", "time", kind="mass"),
    Noun("돈", "money", kind="mass"),
    HOMEWORK,
)
SIBLINGS: Final = (
    Noun("여동생", "younger sister"),
    Noun("남동생", "younger brother"),
    Noun("아들", "son"),
    Noun("딸", "daughter"),
)
FAMILY: Final = (
    *SIBLINGS,
    Noun("친구", "friend"),
    Noun("어머니", "mother"),
    Noun("아버지", "father"),
    Noun("할머니", "grandmother"),
)
JOBS: Final = (
    Noun("학생", "student", "good smart"),
    Noun("선생님", "teacher", "good kind"),
    Noun("의사", "doctor", "famous busy"),
    Noun("간호사", "nurse", "kind young"),
    Noun("가수", "singer", "famous young"),
    Noun("요리사", "cook", "good busy"),
    Noun("화가", "painter", "famous"),
    Noun("작가", "writer", "young"),
    Noun("농부", "farmer", "strong"),
    Noun("경찰관", "police officer", "kind"),
)
NAMES: Final = _pairs("민수=Minsu; 지민=Jimin; 수진=Sujin; 유나=Yuna; 준호=Junho; 서연=Seoyeon")
PEOPLE: Final = _pairs("선생님=the teacher; 학생=the student; 의사=the doctor; 아이=the child")
OBLIQUE_PRONOUNS: Final = _pairs("나=me; 너=you; 그=him; 그녀=her; 우리=us; 그들=them")
OWNERS: Final = _pairs("내=my; 네=your; 그의=his; 그녀의=her; 우리=our; 그들의=their; 지수의=Jisu's; 영호의=Yeongho's")
"""The two named are not of NAMES, so that Minsu never meets 'Minsu's friend'."""
NUMBERS: Final = _pairs("한=one; 두=two; 세=three; 네=four; 다섯=five")
DEGREES: Final = _pairs("매우=very; 정말=really; 너무=too")

PLACES: Final = {
    "집": ("home", "at home"),
    "학교": ("to school", "at school"),
    "도서관": ("to the library", "at the library"),
    "공원": ("to the park", "in the park"),
    "시장": ("to the market", "at the market"),
    "회사": ("to the office", "at the office"),
    "병원": ("to the hospital", "at the hospital"),
    "식당": ("to the restaurant", "at the restaurant"),
    "카페": ("to the cafe", "at the cafe"),
    "서점": ("to the bookstore", "at the bookstore"),
    "극장": ("to the theater", "at the theater"),
    "해변": ("to the beach", "on the beach"),
    "호텔": ("to the hotel", "at the hotel"),
    "부엌": ("to the kitchen", "in the kitchen"),
    "교실": ("to the classroom", "in the classroom"),
}
"""Where people go and what they do there: each with the English of -에 가다 and of -에서."""
CITIES: Final = _pairs("서울=Seoul; 부산=Busan; 제주도=Jeju; 한국=Korea; 미국=America; 일본=Japan")
VEHICLES: Final = _pairs("버스=bus; 지하철=subway; 택시=taxi; 자전거=bicycle; 기차=train")
SPOTS: Final = _pairs(
    "책상 위에=on the desk; 침대 위에=on the bed; 의자 아래에=under the chair; 침대 아래에=under the bed;"
    "나무 아래에=under the tree; 문 옆에=next to the door; 상자 안에=in the box; 방에=in the room"
)
COMPANIONS: Final = _pairs(
    "친구와 함께=with a friend; 이웃과 함께=with a neighbor; 친구들과 함께=with friends;"
    "동료와 함께=with a colleague; 가족과 함께=with family"
)
TIMES: Final = {
    "present": _pairs(
        "매일=every day; 아침에=in the morning; 오후에=in the afternoon; 저녁에=in the evening;"
        "밤에=at night; 주말에=on the weekend; 월요일에=on Monday; 일곱 시에=at seven o'clock"
    ),
    "past": _pairs(
        "어제=yesterday; 오늘=today; 어젯밤에=last night; 오늘 아침에=this morning;"
        "지난주에=last week; 토요일에=on Saturday; 아홉 시에=at nine o'clock"
    ),
    "future": _pairs(
        "내일=tomorrow; 오늘=today; 곧=soon; 오늘 저녁에=this evening;"
        "다음 주에=next week; 일요일에=on Sunday; 여덟 시에=at eight o'clock"
    ),
}
FREQUENCIES: Final = _pairs("자주=often; 항상=always; 가끔=sometimes; 보통=usually")


def _verb(stem: str, infinitive: str, english: str, past: str = "") -> Verb:
    return Verb(Predicate(stem, infinitive), english, past)


@dataclass(frozen=True)
class Action:
    """Something people do: to which things (none: the verb takes no object) and at which of PLACES."""

    verb: Verb
    objects: tuple[Noun, ...]
    places: str
    what: bool = True
    """Whether 무엇을 may ask for its object: not for the second meaning of one Korean verb."""


ACTIONS: Final = (
    Action(_verb("먹", "먹어", "eat", "ate"), FOODS, "집 식당 학교 공원 카페"),
    Action(_verb("마시", "마셔", "drink", "drank"), DRINKS, "집 식당 회사 카페 해변"),
    Action(_verb("사", "사", "buy", "bought"), WARES + FOODS, "시장"),
    Action(_verb("팔", "팔아", "sell", "sold"), WARES, "시장"),
    Action(_verb("읽", "읽어", "read", "read"), READINGS, "집 도서관 카페 서점 학교"),
    Action(_verb("쓰", "써", "write", "wrote"), WRITINGS, "집 도서관 교실 카페"),
    Action(_verb("보", "봐", "watch"), SHOWS, "집 극장 호텔 카페"),
    Action(_verb("듣", "들어", "listen to"), SOUNDS, "집 카페 공원 회사"),
    Action(_verb("만들", "만들어", "make", "made"), (CAKE, SANDWICH, NOODLES, HAT, BAG, GIFT), "집 부엌 학교"),
    Action(_verb("그리", "그려", "draw", "drew"), (FLOWER, *PETS, CAR), "집 교실 공원"),
    Action(_verb("찍", "찍어", "take", "took"), (PHOTO,), "공원 해변 학교 카페"),
    Action(_verb("빌리", "빌려", "borrow"), (BOOK, NOVEL, BICYCLE, UMBRELLA), "도서관 학교 호텔"),
    Action(_verb("찾", "찾아", "look for"), (*BELONGINGS, *PETS), "집 학교 공원 교실"),
    Action(_verb("사용하", "사용해", "use"), (COMPUTER, CUP, PENCIL, UMBRELLA), "집 학교 회사"),
    Action(_verb("청소하", "청소해", "clean"), ROOMS, ""),
    Action(_verb("열", "열어", "open"), OPENINGS, "집 학교 호텔"),
    Action(_verb("닫", "닫아", "close"), OPENINGS, "집 학교 호텔"),
    Action(_verb("공부하", "공부해", "study"), STUDIES, "집 학교 도서관 카페"),
    Action(_verb("배우", "배워", "learn"), STUDIES + INSTRUMENTS, "학교 집"),
    Action(_verb("부르", "불러", "sing", "sang"), (SONG,), "집 교실 공원 카페"),
    Action(_verb("치", "쳐", "play"), INSTRUMENTS, "집 학교 카페 호텔", what=False),
    Action(_verb("하", "해", "play"), SPORTS, "학교 공원 해변", what=False),
    Action(_verb("하", "해", "do", "did"), (HOMEWORK,), "집 도서관 카페 교실"),
    Action(_verb("자", "자", "sleep", "slept"), (), "집 호텔 병원"),
    Action(_verb("일하", "일해", "work"), (), "회사 병원 식당 시장 서점"),
    Action(_verb("쉬", "쉬어", "rest"), (), "집 호텔 해변 공원"),
    Action(_verb("수영하", "수영해", "swim", "swam"), (), "해변 호텔"),
    Action(_verb("운동하", "운동해", "exercise"), (), "공원 집 학교"),
    Action(_verb("놀", "놀아", "play"), (), "공원 해변 집 학교"),
    Action(_verb("걷", "걸어", "walk"), (), "공원 해변"),
    Action(_verb("달리", "달려", "run", "ran"), (), "공원 해변 학교"),
    Action(_verb("춤추", "춤춰", "dance"), (), "교실 극장 집 공원"),
    Action(_verb("요리하", "요리해", "cook"), (), "집 부엌 식당"),
    Action(_verb("웃", "웃어", "laugh"), (), "교실 극장 집"),
    Action(_verb("울", "울어", "cry"), (), "교실 극장 집"),
)
GO: Final = _verb("가", "가", "go", "went")
RIDES: Final = (GO, _verb("오", "와", "come", "came"), _verb("돌아가", "돌아가", "return"))
WALKS: Final = (_verb("걸어가", "걸어가", "walk"), _verb("뛰어가", "뛰어가", "run", "ran"))
LEAVE: Final = _verb("떠나", "떠나", "leave for", "left")
LIVE: Final = _verb("살", "살아", "live")
BECOME: Final = _verb("되", "되어", "become", "became")
ENCOUNTERS: Final = (
    _verb("만나", "만나", "meet", "met"),
    _verb("기다리", "기다려", "wait for"),
    _verb("도와주", "도와줘", "help"),
    _verb("부르", "불러", "call"),
)
AFFECTIONS: Final = (_verb("사랑하", "사랑해", "love"), _verb("기억하", "기억해", "remember"))
TASTES: Final = (_verb("좋아하", "좋아해", "like"), _verb("싫어하", "싫어해", "hate"))
TRANSFERS: Final = (
    _verb("주", "줘", "give", "gave"),
    _verb("보내", "보내", "send", "sent"),
    _verb("보여주", "보여줘", "show"),
)
TEACH: Final = _verb("가르치", "가르쳐", "teach", "taught")
_EXIST: Final = Predicate("있", "있어", action=False, opposite="없")
BE_SOMEWHERE: Final = Verb(_EXIST, "be")
HAVE: Final = Verb(_EXIST, "have", "had")
