"""What repairs do: faults of the box's translations without and with them, what that is to BLEU, and what it costs.

    python -m benchmarks.repair --data DIR

Faults are those that a repair is for, counted by the checks, which cannot see all that is wrong. Strings of user
interfaces are made up (`benchmarks.questions.ui_strings`), always the same, and have no references.
"""

import argparse
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.checks import load
from benchmarks.contest.machine import RESULTS, opening, save
from benchmarks.contest.records import RepairedCorpus, Repairs
from benchmarks.questions.ui_strings import ui_strings
from mtcli.checking import CheckSettings, TranslationChecker
from mtcli.decoding.repair.faults import WEIGHTS
from mtcli.decoding.repair.settings import faults_of
from mtcli.decoding.translator import Translator
from mtcli.evaluation.metrics import bleu_metric
from mtcli.translation import Translation

# Corpora with references: their names, their folder and file.
CORPORA = (("Tatoeba", "tatoeba-en-de/test"), ("newstest2014", "newstest2014/newstest2014.en-de"))
UI_STRINGS, SEED, ROUNDS = 500, 1, 5
WARM_UP = 50


def faults_in(found: Sequence[Translation]) -> list[set[str]]:
    """Count them by checks of their own, whoever made the translation."""
    checker = TranslationChecker(("en", "de"), CheckSettings(checks=frozenset(WEIGHTS)))
    return [{one.check for one in checker.check(line.source, line.text)} for line in found]


def checking_seconds(translator: Translator, found: Sequence[Translation]) -> float:
    """One thread's time to look at translations as a repair does, before anything is repaired."""
    faults, seconds = faults_of(translator.model), []
    for _ in range(ROUNDS):
        start = time.process_time()
        for line in found:
            faults.of(line.source, line.text)
        seconds.append(time.process_time() - start)
    return statistics.median(seconds)


def bleu(found: Sequence[Translation], references: Sequence[str]) -> float:
    return float(bleu_metric(None, lowercase=False).corpus_score([line.text for line in found], [references]).score)


def measured(translator: Translator, name: str, sources: list[str], references: list[str] | None) -> RepairedCorpus:
    """Translate without and with repairs."""
    seconds, found = [], []
    for repair in (False, True):
        start = time.perf_counter()
        found.append(translator.translate(sources, repair=repair))
        seconds.append(time.perf_counter() - start)
    plain, repaired = found
    before, after = map(faults_in, found)
    steps = Counter(step for line in repaired for step in line.repaired.split(",") if step)
    return RepairedCorpus(
        corpus=name,
        lines=len(sources),
        faults_before=dict(Counter(check for checks in before for check in checks).most_common()),
        faults_after=dict(Counter(check for checks in after for check in checks).most_common()),
        faulty_before=sum(map(bool, before)),
        faulty_after=sum(map(bool, after)),
        repaired=sum(bool(line.repaired) for line in repaired),
        steps=dict(steps.most_common()),
        bleu_before=bleu(plain, references) if references else None,
        bleu_after=bleu(repaired, references) if references else None,
        seconds_before=seconds[0],
        seconds_after=seconds[1],
        checking_seconds=checking_seconds(translator, plain),
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.repair", description="Measure repairs.")
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds the corpora's folders")
    parser.add_argument("--out", type=Path, default=RESULTS / "cpu" / "repair.json", help="the JSON file to write")
    arguments = parser.parse_args()
    translator = Translator()
    rows = []
    for name, file in CORPORA:
        sources, references = map(list, zip(*load(arguments.data, file, "en", "de"), strict=True))
        translator.translate(sources[:WARM_UP])
        rows.append(measured(translator, name, sources, references))
    rows.append(measured(translator, "made-up user interface", ui_strings(UI_STRINGS, SEED), None))
    head = opening("Repairs of translations", "python -m benchmarks.repair --data DIR")
    save(Repairs(**head, corpora=rows, beam=translator.options.beam_size), arguments.out)


if __name__ == "__main__":
    main()
