"""Sentences of a line, and how many lines of a corpus hold several.

sentencex finds them. It is not told the language, so a few marks of other languages than English are looked at behind
it: what it parts there is put together again. A part too large costs a translation little, a part too small its sense.
"""

import re
from collections.abc import Sequence

from sentencex import segment

_MEASURED = 10_000  # lines: enough to tell a share of 1 % from one of 2 %
# No sentence ends with these: of German, French, Spanish, Portuguese, Italian, Dutch, and of English tables and lists.
_ABBREVIATIONS = frozenset(
    """Abb Abschn Abt allg Anm Art Aufl Az Bd Bde bes betr Bf Bsp bspw bzgl bzw ca dgl Dipl Dr ebd ehem eigtl einschl
    engl entspr etc evtl exkl Fa ff Fr Frl frz geb gegr gem gest ggf ggfs Hr Hrn Hrsg hl Ing inkl insb Jh Kap lat lt max
    mind Mio mrd Mrd Nr nr Obj od österr Pkt Prof rd Rel Rhld röm schweiz Slg sog spez St Std stellv Str str strasse Tab
    Tel tgl Tsd usf verh vgl vs wg zit zzgl av bd env éd fig hab M MM Mlle Mme Mmes Mgr p pp réf suiv tél vol art cap
    dpto ed ej Excmo gral izq núm pág págs párr Sr Sra Sras Sres Srta tel Ud Uds Vd Vds Dra Exmo pag sig Sig sigg dott
    Dott ing avv arch blz bijv dhr mevr mw nl resp approx cf Figs Eq Eqs Sec No Vol Ch""".split()  # noqa: SIM905
)
_LAST_WORD = re.compile(r"([^\W\d_]+)\.$")
_STREET = re.compile(r"[sS]tr\.$")
_ORDINAL = re.compile(r"(?:^|[\s(])\d{1,2}\.$")  # of a date
_NUMBER_OF_ITEM = re.compile(r"\(?\d{1,2}[.)]$")  # of a list
_SAID = re.compile(r"(?:と|って|なんて|라고|하고|고 )")  # goes on after what was quoted
_LETTER = re.compile(r"[^\W\d_]")


def split_sentences(text: str) -> list[str]:
    """Find the sentences of a line, without the spaces between them, each with a letter; none of a blank line."""
    spans: list[tuple[int, int]] = []
    position, opened = 0, -1  # where the number of a list's item began
    for raw in segment("en", text):
        if not (sentence := raw.strip()):
            continue
        start = text.index(sentence, position)
        position = start + len(sentence)
        if _NUMBER_OF_ITEM.match(sentence) and not (spans and _ends_open(text[slice(*spans[-1])])):
            opened = start if opened < 0 else opened
            continue
        start, opened = (opened, -1) if opened >= 0 else (start, -1)
        if spans and _belong_together(text[slice(*spans[-1])], text[start:position]):
            start = spans.pop()[0]
        spans.append((start, position))
    if opened >= 0:  # a number that no item follows
        spans.append((spans.pop()[0] if spans else opened, position))
    return [text[start:end] for start, end in spans]


def _belong_together(before: str, behind: str) -> bool:
    """Whether these are of one sentence."""
    if not _LETTER.search(before) or not _LETTER.search(behind):
        return True
    if before[-1] in "」』”’\"'":
        return bool(_SAID.match(behind))
    return _ends_open(before)


def _ends_open(text: str) -> bool:
    """Whether a sentence goes on behind this full stop."""
    word = _LAST_WORD.search(text)
    return bool(_ORDINAL.search(text) or _STREET.search(text) or (word is not None and word[1] in _ABBREVIATIONS))


def multi_sentence_share(lines: Sequence[str]) -> float | None:
    """Measure the share of lines with several sentences, 0 to 1, among those that are not blank; None where none are.

    Of many lines some are looked at, spread evenly.
    """
    texts = [line for line in lines if line.strip()]
    texts = texts[:: -(-len(texts) // _MEASURED) or 1]
    if not texts:
        return None
    return round(sum(len(split_sentences(text)) > 1 for text in texts) / len(texts), 4)
