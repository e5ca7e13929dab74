"""Text that breaks tools which think they know what a line is."""

from pathlib import Path

from hypothesis import strategies as st

from mtcli.files.contents import byte_order, document_of, has_macintosh_ends, unmarked_encoding
from mtcli.files.decompression import compression_of

# What other tools take for the end of a line, or for nothing at all; and what formats use for themselves.
ODD = ("\r", "\x00", "\x0b", "\x0c", "\x1c", "\x1e", "\x85", "\u2028", "\u2029", "\ufeff", "\u200b", "\u3000", "\u0301")
PIECES = (
    *ODD,
    " ",
    "  ",
    "|||",
    " ||| ",
    '"',
    "\\",
    "\\n",
    "{}",
    "a",
    "the cat",
    ". ",
    "나는 ",
    "。",
    "é",
    "\U0001f600",
    "▁",
)

line_text = st.lists(
    st.one_of(st.sampled_from(PIECES), st.characters(exclude_categories=["Cs"], exclude_characters="\n\t")), max_size=12
).map("".join)
"""One line without its newline, and without a tab."""

line_text_with_tabs = st.lists(line_text, min_size=1, max_size=4).map("\t".join)


def is_lines(data: bytes) -> bool:
    """Whether bytes, however many come first, begin neither a document nor text in a form that is told by its bytes."""
    if byte_order(data) or compression_of(data) or document_of(data, Path()) or has_macintosh_ends(data):
        return False
    return not any(unmarked_encoding(data[:end]) for end in range(len(data) + 1))
