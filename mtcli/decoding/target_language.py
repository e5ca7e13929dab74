"""What a model with several target languages is not told: lines that name none of them, or one that it does not know.

Such a model, made elsewhere (mtcli/data/listed.py), reads the language to translate into from a token such as `>>fra<<`
at the beginning of the line. Without it, it translates into whatever language it likes.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from mtcli.data.corpus import SentencePair
from mtcli.data.listed import ListedTokenizer
from mtcli.data.tokenizer import Tokenizer
from mtcli.decoding.lines import has_words

_TOKEN = re.compile(r"(>>[^<>]*<<)")
_MOST_LISTED = 8


class TargetLanguageCheck:
    """Watch source lines on their way to the model, and warn once of each of the two faults."""

    def __init__(self, tokenizer: Tokenizer, warn: Callable[[str], None]) -> None:
        """Check lines for the model with this tokenizer of its source; `warn` takes a sentence for the user."""
        self._tokenizer, self._warn = tokenizer, warn
        self._known: list[str] = []
        self._default = ""
        if isinstance(tokenizer, ListedTokenizer):
            self._known, self._default = tokenizer.vocabulary.language_pieces, tokenizer.vocabulary.prefix
        self._left = {"unknown", "missing"} if self._known else set()

    def watch(self, lines: Iterable[str]) -> Iterator[str]:
        """Pass source lines on as they are."""
        for line in lines:
            self._look_at(line)
            yield line

    def watch_pairs(self, pairs: Iterable[SentencePair]) -> Iterator[SentencePair]:
        """Pass pairs of source and target on as they are."""
        for pair in pairs:
            self._look_at(pair.src)
            yield pair

    def _look_at(self, line: str) -> None:
        if not self._left:
            return
        text = self._tokenizer.clean(line)
        if self._tokenizer.lead(text) or not has_words(line):
            return
        if found := _TOKEN.match(text):
            self._say("unknown", f"A line begins with {found[1]}, which this model does not know as a language.")
        elif not self._default:
            self._say("missing", "A line does not say which language to translate it into.")

    def _say(self, fault: str, sentence: str) -> None:
        if fault in self._left:
            self._left.remove(fault)
            self._warn(f"Warning: {sentence} {self._advice()}")

    def _advice(self) -> str:
        some = ", ".join(self._known[:_MOST_LISTED])
        more = f" and {len(self._known) - _MOST_LISTED:,} more" if len(self._known) > _MOST_LISTED else ""
        token = self._default or self._known[0]
        advice = f"It knows {some}{more}: begin lines with one of them, as in `{token} text`"
        if self._default:
            return f"{advice}. Lines without one are translated into {token}."
        return f"{advice}, or import the model with --target-lang {token[2:-2]}."
