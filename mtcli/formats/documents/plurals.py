"""Plural forms by language: how many there are, which number takes which, and what CLDR calls them."""

from collections.abc import Callable
from dataclasses import dataclass
from gettext import c2py  # type: ignore[attr-defined, unused-ignore]


@dataclass(frozen=True, slots=True)
class PluralRule:
    """Hold a language's plural forms.

    Attributes:
        expression: in C, from a number `n` to the index of its form, as gettext's `Plural-Forms` has it.
        categories: CLDR's names of the forms, in the order of their indices; those that whole numbers take.
    """

    expression: str
    categories: tuple[str, ...]

    @property
    def num_forms(self) -> int:
        """How many there are."""
        return len(self.categories)

    @property
    def header(self) -> str:
        """What `Plural-Forms` says."""
        return f"nplurals={self.num_forms}; plural={self.expression};"


_ONE = PluralRule("0", ("other",))
_NOT_ONE = PluralRule("(n != 1)", ("one", "other"))
_OVER_ONE = PluralRule("(n > 1)", ("one", "other"))
_SLAVIC = "n%10>=2 && n%10<=4 && (n%100<12 || n%100>14)"
_EAST_SLAVIC = PluralRule(f"(n%10==1 && n%100!=11 ? 0 : {_SLAVIC} ? 1 : 2)", ("one", "few", "many"))
_SOUTH_SLAVIC = PluralRule(f"(n%10==1 && n%100!=11 ? 0 : {_SLAVIC} ? 1 : 2)", ("one", "few", "other"))
_CZECH = PluralRule("(n==1 ? 0 : n>=2 && n<=4 ? 1 : 2)", ("one", "few", "other"))
_SLOVENE = PluralRule("(n%100==1 ? 0 : n%100==2 ? 1 : n%100==3 || n%100==4 ? 2 : 3)", ("one", "two", "few", "other"))

_LANGUAGES: tuple[tuple[str, PluralRule], ...] = (
    ("bm bo dz hnj id ig ii ja jbo jv kea km ko lkt lo ms my nqo osa sah ses sg su th to tpi vi wo yo yue zh", _ONE),
    (
        "af an asa ast az bem bez bg brx ca ce cgg chr ckb da de dv ee el en eo es et eu fi fo fur fy gl gsw ha "
        "haw hu ia ie io it jgo ji jmc ka kaj kcg kk kkj kl ks ksb ku ky lb lg lij mas mgo ml mn mr nb nd ne nl nn "
        "nnh no nr ny nyn om or os pap ps pt_PT rm rof rwk saq sc scn sd seh sn so sq ss ssy st sv sw syr ta te teo "
        "tig tk tn tr ts ug ur ve vec vo vun wae xh xog yi",
        _NOT_ONE,
    ),
    (
        "ak am as bn doi fa ff fr gu hi hy kab kn ln mg nso oc pa pcm pt pt_BR si tg ti tl fil uz wa zu",
        _OVER_ONE,
    ),
    ("be ru uk", _EAST_SLAVIC),
    ("bs hr sh sr", _SOUTH_SLAVIC),
    ("cs sk", _CZECH),
    ("dsb hsb sl", _SLOVENE),
    ("pl", PluralRule(f"(n==1 ? 0 : {_SLAVIC} ? 1 : 2)", ("one", "few", "many"))),
    (
        "lt",
        PluralRule("(n%10==1 && n%100!=11 ? 0 : n%10>=2 && (n%100<10 || n%100>=20) ? 1 : 2)", ("one", "few", "other")),
    ),
    # gettext's forms: CLDR counts more numbers as `zero`.
    ("lv", PluralRule("(n%10==1 && n%100!=11 ? 0 : n != 0 ? 1 : 2)", ("one", "other", "zero"))),
    ("ro mo", PluralRule("(n==1 ? 0 : n==0 || (n%100>0 && n%100<20) ? 1 : 2)", ("one", "few", "other"))),
    ("mk is", PluralRule("(n%10!=1 || n%100==11)", ("one", "other"))),
    (
        "ar",
        PluralRule(
            "(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5)",
            ("zero", "one", "two", "few", "many", "other"),
        ),
    ),
    ("he iw", PluralRule("(n==1 ? 0 : n==2 ? 1 : 2)", ("one", "two", "other"))),
    (
        "ga",
        PluralRule(
            "(n==1 ? 0 : n==2 ? 1 : n>2 && n<7 ? 2 : n>6 && n<11 ? 3 : 4)", ("one", "two", "few", "many", "other")
        ),
    ),
    (
        "gd",
        PluralRule(
            "(n==1 || n==11 ? 0 : n==2 || n==12 ? 1 : (n>2 && n<11) || (n>12 && n<20) ? 2 : 3)",
            ("one", "two", "few", "other"),
        ),
    ),
    (
        "cy",
        PluralRule(
            "(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n==3 ? 3 : n==6 ? 4 : 5)",
            ("zero", "one", "two", "few", "many", "other"),
        ),
    ),
    (
        "br",
        PluralRule(
            "(n%10==1 && n%100!=11 && n%100!=71 && n%100!=91 ? 0 : n%10==2 && n%100!=12 && n%100!=72 && n%100!=92 "
            "? 1 : (n%10==3 || n%10==4 || n%10==9) && (n%100<10 || n%100>19) && (n%100<70 || n%100>79) && "
            "(n%100<90 || n%100>99) ? 2 : n!=0 && n%1000000==0 ? 3 : 4)",
            ("one", "two", "few", "many", "other"),
        ),
    ),
    (
        "mt",
        PluralRule(
            "(n==1 ? 0 : n==2 ? 1 : n==0 || (n%100>2 && n%100<11) ? 2 : n%100>10 && n%100<20 ? 3 : 4)",
            ("one", "two", "few", "many", "other"),
        ),
    ),
    ("iu naq se sma smj smn sms", PluralRule("(n==1 ? 0 : n==2 ? 1 : 2)", ("one", "two", "other"))),
)
_RULES = {code: rule for codes, rule in _LANGUAGES for code in codes.split()}


def rule_for(language: str) -> PluralRule | None:
    """The rule of a language, such as `pt-BR` or `de_AT`; None where it is not known."""
    parts = language.replace("-", "_").split("_")
    region = f"{parts[0].lower()}_{parts[-1].upper()}"
    return _RULES.get(region) or _RULES.get(parts[0].lower())


def singular_form(expression: str, num_forms: int) -> int | None:
    """Index of the form that one thing takes, where others do not always share it; None where there is a single form.

    Raises:
        ValueError: the expression is none of gettext's.
    """
    if num_forms < 2:
        return None
    form: Callable[[int], int] = c2py(expression)
    return form(1)
