"""Translations at fault, mended: other ways to translate a line, tried until the checks have nothing against one.

What is tried for a line depends on the line, the model and the options alone, and so does what comes of it. Whatever is
to be decoded for it goes to the engines as any other sentence does, beside the lines that follow.
"""

from mtcli.decoding.repair.faults import Faults
from mtcli.decoding.repair.finishing import Finishing, LineRepair
from mtcli.decoding.repair.line import LineTools, repair_line
from mtcli.decoding.repair.words import Answers, Ask, Worded

__all__ = ["Answers", "Ask", "Faults", "Finishing", "LineRepair", "LineTools", "Worded", "repair_line"]
