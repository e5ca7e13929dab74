"""mtcli trains encoder-decoder Transformers on parallel text and translates files and streams with them.

From Python:

    from mtcli import Translator

    translator = Translator("en-de")
    for result in translator.translate(["Where is the station?"], beam_size=5):
        print(result.text, result.score)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mtcli.decoding.translator import Translator
    from mtcli.translation import Candidate, Translation

__all__ = ["Candidate", "Translation", "Translator", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import the API when it is first used: the command line must not wait for PyTorch to show its help."""
    if name in __all__:
        from mtcli.decoding import translator

        return getattr(translator, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
