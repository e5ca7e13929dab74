"""What a model expects of the text it is given: settled when its corpus was prepared, kept in its config.json."""

from pydantic import Field

from mtcli.config import Section
from mtcli.data.normalisation import FIRST


class TextConventions(Section):
    """How a model's training text was read, and what it was like. A model that says nothing of it is an early one."""

    later = frozenset({"normalisation", "multi_sentence_share"})

    normalisation: int = Field(default=FIRST, ge=1, description="version of the rule in mtcli/data/normalisation.py")
    multi_sentence_share: float | None = Field(
        default=None, ge=0, le=1, description="share of its training sources that hold several sentences, if measured"
    )
