"""The tokenizers of a model directory: one shared, one for each side, or those of an imported model."""

from collections.abc import Mapping
from pathlib import Path

from mtcli.data.listed import ListedTokenizer, Vocabulary
from mtcli.data.normalisation import FIRST
from mtcli.data.tokenizer import Tokenizer, Tokenizers
from mtcli.errors import CheckpointError
from mtcli.model_directory.files import COPY_AGAIN, DESCRIPTION, read_bytes
from mtcli.model_directory.integrity import checksum

SHARED, SOURCE, TARGET = "tokenizer.model", "source.model", "target.model"
LISTS = "vocabulary.json"  # ids of an imported model's pieces


def tokenizer_contents(tokenizers: Tokenizers) -> dict[str, bytes]:
    """The tokenizers' files, by name."""
    src, tgt = tokenizers.src, tokenizers.tgt
    if src is tgt:
        return {SHARED: src.model}
    lists = {LISTS: src.vocabulary.to_json()} if isinstance(src, ListedTokenizer) else {}
    return {SOURCE: src.model, TARGET: tgt.model, **lists}


def load_tokenizers(
    directory: Path, checksums: Mapping[str, str] | None = None, normalisation: int = FIRST
) -> Tokenizers:
    """Read tokenizer.model, or source.model and target.model, and compare them with `checksums` where they have one.

    Args:
        normalisation: version of the rule by which the model reads text; an imported model has always the first.

    Raises:
        CheckpointError: none is there, or one is unreadable or not the file that was written with the model.
        DataError: a file is no SentencePiece model, or vocabulary.json is damaged.
    """
    known = checksums or {}
    if has_lists(directory, known):
        source, target, lists = (directory / name for name in (SOURCE, TARGET, LISTS))
        vocabulary = Vocabulary.from_json(read_checked(lists, known.get(LISTS)), str(lists))
        source_model, target_model = (read_checked(file, known.get(file.name)) for file in (source, target))
        return listed_tokenizers(vocabulary, source_model, target_model, names=(str(source), str(target)))
    files = tokenizer_files(directory, known)
    loaded = [Tokenizer(read_checked(file, known.get(file.name)), str(file), normalisation) for file in files]
    return Tokenizers(loaded[0], loaded[-1])


def has_lists(directory: Path, checksums: Mapping[str, str]) -> bool:
    """Whether the model's pieces have their ids from vocabulary.json: it was imported."""
    return LISTS in checksums if checksums else (directory / LISTS).exists()


def listed_tokenizers(
    vocabulary: Vocabulary, source: bytes, target: bytes, *, names: tuple[str, str] = ("source.spm", "target.spm")
) -> Tokenizers:
    """Both sides of an imported model, from their SentencePiece models; `names` are what messages call these.

    Raises:
        DataError: one is no SentencePiece model.
    """
    writer = source if vocabulary.target is None else None  # as transformers does it
    return Tokenizers(
        ListedTokenizer(source, vocabulary, "source", name=names[0]),
        ListedTokenizer(target, vocabulary, "target", name=names[1], writer=writer),
    )


def tokenizer_files(directory: Path, checksums: Mapping[str, str]) -> list[Path]:
    """The one of a shared vocabulary, or the source's and the target's; whether they exist is not looked at."""
    shared = (directory / SHARED).exists() or not (directory / SOURCE).exists()
    if checksums:
        shared = SHARED in checksums
    return [directory / name for name in ([SHARED] if shared else [SOURCE, TARGET])]


def read_checked(path: Path, expected: str | None) -> bytes:
    content = read_bytes(path)
    if expected is not None and checksum(content) != expected:
        raise CheckpointError(
            f"{path} is not the file that was written with this model: its checksum is not the one in {DESCRIPTION}. "
            f"{COPY_AGAIN}"
        )
    return content
