"""Faults of a translation, found by reading it beside its source; neither a model nor PyTorch is needed.

from mtcli.checking import TranslationChecker

checker = TranslationChecker(("en", "de"))
checker.check("It costs $1,299.99.", "Es kostet 1.399,99 $.")
"""

from mtcli.checking.checker import CHECK_NAMES, CHECKS, CheckKind, TranslationChecker, check
from mtcli.checking.findings import Finding, Severity, Where
from mtcli.checking.lengths import LengthStatistics
from mtcli.checking.settings import CheckSettings

__all__ = [
    "CHECKS",
    "CHECK_NAMES",
    "CheckKind",
    "CheckSettings",
    "Finding",
    "LengthStatistics",
    "Severity",
    "TranslationChecker",
    "Where",
    "check",
]
