"""Which of sacreBLEU's tokenizers suits a text: BLEU compares words, and not every script shows where they end."""

import re
from collections import Counter
from collections.abc import Sequence

from mtcli.errors import BackendUnavailableError
from mtcli.evaluation.metrics import bleu_metric

DEFAULT = "13a"
_LOOKED_AT = 2000  # lines
_TOKENISED = 100  # lines, as sacreBLEU counts
_SCRIPTS = {
    "Japanese": re.compile(r"[\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9d]"),  # kana; Chinese has none
    "Han": re.compile(r"[\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"),
    "Korean": re.compile(r"[\u1100-\u11ff\u3131-\u318e\ua960-\ua97f\uac00-\ud7ff]"),
    # Thai, Lao, Tibetan, Burmese, Khmer, Tai, Balinese, Javanese and others without spaces between words
    "unspaced": re.compile(
        r"[\u0e01-\u0fff\u1000-\u109f\u1780-\u17ff\u1950-\u19ff\u1a20-\u1aaf\u1b00-\u1b7f\ua980-\uaadf]"
    ),
}
_LETTER = re.compile(r"[^\W\d_]")
_CANDIDATES = {  # the best first; where a package is missing the next is taken
    "Japanese": ("ja-mecab", "char"),
    "Han": ("zh",),
    "Korean": ("ko-mecab", "char"),
    "unspaced": ("char",),
}
_SUITED = {
    "Japanese": {"ja-mecab", "char"},
    "Han": {"zh", "char"},
    "Korean": {"ko-mecab", "char"},
    "unspaced": {"char"},
    "spaced": {DEFAULT, "intl", "zh"},
}
_ANYWHERE = {"none", "spm", "flores101", "flores200", "spBLEU-1K"}  # "none" says that words are apart already


def script_of(lines: Sequence[str]) -> str:
    """The kind of script that most letters of some lines are of: Japanese, Han, Korean, unspaced or spaced."""
    counts: Counter[str] = Counter()
    for line in lines[:: -(-len(lines) // _LOOKED_AT) or 1]:
        of_line = {name: len(pattern.findall(line)) for name, pattern in _SCRIPTS.items()}
        counts.update(of_line)
        counts["spaced"] += len(_LETTER.findall(line)) - sum(of_line.values())
    if counts["Japanese"] > 0.1 * counts["Han"]:  # both make up a Japanese text
        counts["Japanese"] += counts.pop("Han", 0)
    return max(("spaced", *_SCRIPTS), key=lambda name: counts[name])


def suited_tokenizer(lines: Sequence[str]) -> str:
    """The name of the tokenizer that suits these lines, of those that can run here."""
    for name in _CANDIDATES.get(script_of(lines), (DEFAULT,)):
        try:
            bleu_metric(name, lowercase=False)
        except BackendUnavailableError:
            continue
        return name
    return DEFAULT


def advice(tokenizer: str | None, references: Sequence[str]) -> str | None:
    """What to say where a tokenizer does not suit the references; None is sacreBLEU's default."""
    name, script = tokenizer or DEFAULT, script_of(references)
    if name in _ANYWHERE or name in _SUITED[script]:
        return None
    better = suited_tokenizer(references)
    text = "text that writes no spaces between words" if script not in ("spaced", "Korean") else f"{script} text"
    return f"BLEU's tokenizer {name} is not made for {text}. Use --tokenize {better}; chrF needs none."


def tokenised_advice(tokenizer: str | None, hypotheses: Sequence[str]) -> str | None:
    """What to say where translations seem to be tokenised, which BLEU's own tokenizers do not expect."""
    apart = sum(line.endswith(" .") for line in hypotheses)
    if tokenizer == "none" or apart < _TOKENISED:
        return None
    return (
        f"{apart:,} translations end in a full stop that stands apart, as tokenised text does. BLEU expects text as "
        "people write it: detokenise it first, or say with --tokenize none that references are tokenised alike."
    )
