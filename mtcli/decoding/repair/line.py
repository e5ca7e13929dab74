"""The repair of one line: of those of its parts that are at fault, one after the other."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

from mtcli.checking import Finding
from mtcli.checking.copying import ECHO
from mtcli.decoding.lines import Part
from mtcli.decoding.repair.faults import Faults, copy_finding, lost_capitals, weight_of, without_doubles
from mtcli.decoding.repair.steps import SOURCE, STEPS, Case
from mtcli.decoding.repair.tools import PartTools
from mtcli.decoding.repair.words import COPIED, Answers, Ask, Worded
from mtcli.translation import Candidate, Translation


@dataclass(frozen=True)
class LineTools:
    """What a line's repair works with.

    Attributes:
        faults: what finds faults.
        parts: of the line, as the model read them.
        found: of each part its translations, the best first.
        join: from one translation of each part to one of the line.
        for_part: of the line's parts.
    """

    faults: Faults
    parts: Sequence[Part]
    found: Sequence[Sequence[Worded]]
    join: Callable[[Sequence[Worded]], Candidate]
    for_part: PartTools


def repair_line(
    translation: Translation, findings: Sequence[Finding], tools: LineTools
) -> Generator[Ask, Answers, Translation]:
    """Try to do better than a line's plain translation, which has these findings.

    Returns:
        the translation that is to be written, with what is still wrong with it.
    """
    before = weight_of(findings) + lost_capitals(translation.source, translation.text)
    if not before:
        return tools.faults.told_of(translation, findings)
    chosen: list[Worded] = [found[0] for found in tools.found]
    names: list[str] = []
    for place, part in enumerate(tools.parts):
        name, worded = yield from _repair_part(part, tools.found[place], tools.for_part)
        if name:
            names.append(name)
            chosen[place] = worded
    best = tools.join(chosen) if names else translation.n_best[0]
    left = tools.faults.of(translation.source, best.text) if names else findings
    if SOURCE in names and not any(one.check == ECHO for one in left):
        left = [*left, copy_finding(translation.source, best.text)]
    if weight_of(left) + lost_capitals(translation.source, best.text) >= before:
        return tools.faults.told_of(translation, findings)
    others = [one for one in translation.n_best if one.text != best.text]
    n_best = (best, *others)[: len(translation.n_best)]
    repaired = ",".join(dict.fromkeys(names))
    return tools.faults.told_of(replace(translation, n_best=n_best, repaired=repaired), left)


def _repair_part(part: Part, found: Sequence[Worded], tools: PartTools) -> Generator[Ask, Answers, tuple[str, Worded]]:
    """The name of the step that did best, or nothing, and its translation."""
    text = part.text[len(tools.lead) :].lstrip() if part.text.startswith(tools.lead) else part.text
    findings = tools.faults.of(text, found[0][1])
    case = Case(text, part.tokens, found, findings, tools)
    best, name, weight = found[0], "", weight_of(findings) + lost_capitals(text, found[0][1])
    for step, try_it in STEPS:
        if not weight:
            break
        worded = yield from try_it(case)
        if worded is None or not worded[1].strip():
            continue
        worded = worded[0], without_doubles(worded[1], tools.faults.of(text, worded[1]))
        its_weight = tools.weigh(text, worded[1], copied=worded[0] is COPIED)
        if its_weight < weight:
            best, name, weight = worded, step, its_weight
    return name, best
