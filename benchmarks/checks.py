"""How well the checks of `mtcli check` find faults, how often they are wrong, and what they cost.

    python -m benchmarks.checks --data DIR

Faults are made in good translations, a thousand of each kind where there are as many lines that can have it, always the
same ones. What is found in a damaged line and not in the good one is right; what is found in the good one is a false
alarm. Human translations are checked as they are: what is found there are the faults of people and of the checks.
"""

import argparse
import statistics
import time
from collections import Counter
from pathlib import Path

from benchmarks.contest.machine import RESULTS, opening, save
from benchmarks.contest.records import CheckedCorpus, Checks, Decoding, FoundFaults, TranslatingTime
from benchmarks.questions.checks_faults import FAULTS, Pair, damaged
from mtcli.checking import TranslationChecker
from mtcli.files import read_lines

# Corpora of human translations: their names, their folder and file, and the two languages.
CORPORA = (
    ("Multi30k 2016", "multi30k/test_2016_flickr", "en", "de"),
    ("Multi30k 2017", "multi30k/test_2017_flickr", "en", "de"),
    ("Multi30k 2016", "multi30k/test_2016_flickr", "en", "fr"),
    ("Tatoeba", "tatoeba-en-de/test", "en", "de"),
    ("newstest2014", "newstest2014/newstest2014.en-de", "en", "de"),
    ("newstest2014", "newstest2014/newstest2014.en-de", "de", "en"),
    ("news", "en-de-broad/news.test", "en", "de"),
    ("news and encyclopedia", "en-de-broad/newswiki.test", "en", "de"),
    ("help", "en-de-broad/help.test", "en", "de"),
    ("user interfaces", "en-de-broad/ui.test", "en", "de"),
    ("documentation", "en-de-broad/docs.test", "en", "de"),
    ("everyday", "ko-en-everyday/test", "ko", "en"),
    ("user interfaces", "ko-en-broad/ui.test", "en", "ko"),
    ("documentation", "ko-en-broad/docs.test", "en", "ko"),
    ("news and encyclopedia", "ko-en-broad/newswiki.test", "en", "ko"),
)
DAMAGED = (("en", "de"), ("en", "ko"))
FAULTS_EACH, FEWEST, SEED, ROUNDS = 1000, 100, 1, 5


def load(data: Path, name: str, src: str, tgt: str) -> list[Pair]:
    sides = (read_lines(data / f"{name}.{language}.xz") for language in (src, tgt))
    return list(zip(*sides, strict=True))


def false_alarms(name: str, src: str, tgt: str, pairs: list[Pair]) -> CheckedCorpus:
    """Check human translations, several times over, and count and time that."""
    checker = TranslationChecker((src, tgt))
    found = [{one.check for one in checker.check(*pair)} for pair in pairs]
    seconds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for source, target in pairs:
            checker.check(source, target)
        seconds.append(time.process_time() - start)
    each = [1e6 * one / len(pairs) for one in seconds]
    return CheckedCorpus(
        corpus=name,
        direction=f"{src}-{tgt}",
        lines=len(pairs),
        characters=sum(len(source) + len(target) for source, target in pairs) / len(pairs),
        flagged=sum(map(bool, found)),
        checks=dict(Counter(check for checks in found for check in checks).most_common()),
        microseconds=statistics.median(each),
        min=min(each),
        max=max(each),
    )


def found_faults(src: str, tgt: str, pairs: list[Pair]) -> list[FoundFaults]:
    """Make each fault in some of the pairs, and count what the check that is there for it says of both."""
    checker = TranslationChecker((src, tgt))

    def says(check: str, pair: Pair) -> bool:
        return any(finding.check == check for finding in checker.check(*pair))

    rows = []
    for fault in FAULTS:
        cases = damaged(fault, pairs, SEED, FAULTS_EACH)
        if len(cases) < FEWEST:
            continue
        right = sum(says(fault.check, bad) for _, bad in cases)
        wrong = sum(says(fault.check, good) for good, _ in cases)
        rows.append(
            FoundFaults(
                direction=f"{src}-{tgt}",
                fault=fault.name,
                check=fault.check,
                lines=len(cases),
                found=right,
                false_alarms=wrong,
            )
        )
    return rows


def translating_times(results: Path) -> list[TranslatingTime]:
    """Return how long the model in the box takes for a line, where that was measured on this machine's kind."""
    path = results / "cpu" / "decoding-trained.json"
    if not path.exists():
        return []
    decoding = Decoding.model_validate_json(path.read_text(encoding="utf-8"))
    return [
        TranslatingTime(
            dtype=row.dtype,
            search=row.search,
            cores=decoding.device.cores,
            text=decoding.title,
            date=decoding.date,
            microseconds=1e6 / row.lines_per_second,
        )
        for part in decoding.parts
        for row in part.rows
        if row.contestant == "mtcli" and row.way == "" and row.lines_per_second
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.checks", description="Measure the checks.")
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds the corpora's folders")
    parser.add_argument("--out", type=Path, default=RESULTS / "cpu" / "checks.json", help="the JSON file to write")
    arguments = parser.parse_args()
    alarms, good = [], {direction: list[Pair]() for direction in DAMAGED}
    for name, file, src, tgt in CORPORA:
        pairs = load(arguments.data, file, src, tgt)
        alarms.append(false_alarms(name, src, tgt, pairs))
        if (src, tgt) in good:
            good[src, tgt] += pairs
    faults = [row for (src, tgt), pairs in good.items() for row in found_faults(src, tgt, pairs)]
    head = opening("Checks of translations", "python -m benchmarks.checks --data DIR")
    save(Checks(**head, faults=faults, corpora=alarms, translating=translating_times(RESULTS)), arguments.out)


if __name__ == "__main__":
    main()
