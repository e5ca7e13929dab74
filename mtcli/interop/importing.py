"""A Marian model in Hugging Face's form becomes a model directory of mtcli's."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import torch

import mtcli
from mtcli.config import LANGUAGE_CODE
from mtcli.data.listed import Vocabulary
from mtcli.files import content_hash
from mtcli.interop import marian_tokenizer, marian_weights, originals
from mtcli.interop.directories import atomic_directory
from mtcli.interop.fetching import Original
from mtcli.interop.marian_settings import CONFIG, read_settings
from mtcli.interop.reading import read_bytes
from mtcli.interop.reference import Ours, Reference, compute, largest_difference
from mtcli.model.transformer import Transformer
from mtcli.model_directory.description import Architecture, write_description
from mtcli.model_directory.files import WEIGHTS
from mtcli.model_directory.loading import LoadedModel
from mtcli.model_directory.tokenizers import listed_tokenizers
from mtcli.model_directory.weights import weights_bytes

_DIRECTION = re.compile(r"-([a-z]{2,3})-([a-z]{2,3})$")
"""The end of a model's name, such as opus-mt-en-de."""


@dataclass(frozen=True)
class Imported:
    """A model read whole, and compared with what the original computes.

    Attributes:
        difference: the largest of log-probabilities, in nats; None where the original is not installed.
    """

    original: Original
    vocabulary: Vocabulary
    model: LoadedModel
    reference: Reference
    difference: float | None

    @property
    def languages(self) -> list[str]:
        """The pieces that name a target language, where lines must begin with one."""
        return [] if self.vocabulary.prefix else self.vocabulary.language_pieces


def read_marian(original: Original, target_lang: str | None = None) -> Imported:
    """Read and check everything; nothing is written.

    Args:
        target_lang: the language to translate into, where the model has several.

    Raises:
        CheckpointError: a file is missing or damaged, they do not fit together, the model is of another kind, or mtcli
            does not compute what transformers computes.
        DataError: a .spm file is no SentencePiece model.
        UsageError: the model has no such target language.
    """
    directory = original.directory
    files = marian_tokenizer.TokenizerFiles.read(directory)
    settings = read_settings(directory, files.longest, separate=files.separate)
    vocabulary = files.vocabulary(settings, target_lang)
    source, target = (directory / name for name in (marian_tokenizer.SOURCE_MODEL, marian_tokenizer.TARGET_MODEL))
    models = read_bytes(source), read_bytes(target)
    tokenizers = listed_tokenizers(vocabulary, *models, names=(str(source), str(target)))
    config, weights = marian_weights.read_weights(directory, settings, shared=tokenizers.shared)
    architecture = Architecture(config, tokenizers.sizes, settings.decoding)
    network = Transformer.skeleton(config, architecture.vocabulary)
    network.allocate(torch.device("cpu"))
    for name, parameter in network.named_parameters():
        parameter.data.copy_(weights[name])
    model = LoadedModel(network.eval(), tokenizers, architecture)
    ours = Ours(model)
    if not originals.is_installed():
        return Imported(original, vocabulary, model, compute(ours, tokenizers.tgt, config.max_length), None)
    theirs = originals.Transformers(directory, vocabulary.prefix)
    reference = compute(theirs, tokenizers.tgt, config.max_length)
    return Imported(original, vocabulary, model, reference, largest_difference(reference, ours))


def write_imported(imported: Imported, out: Path) -> None:
    """Write the model directory, whole or not at all; what is at `out` is replaced.

    Raises:
        DataError: it cannot be written.
    """
    model = imported.model
    network = model.network
    tensors = {name: parameter.detach() for name, parameter in network.named_parameters()}
    with atomic_directory(out) as directory:
        write_description(directory, model.architecture, model.tokenizers, imported.reference.files())
        (directory / WEIGHTS).write_bytes(weights_bytes(tensors))
        provenance = json.dumps(_provenance(imported), indent=2, ensure_ascii=False) + "\n"
        (directory / "provenance.json").write_text(provenance, encoding="utf-8")
        (directory / "README.md").write_text(_card(imported), encoding="utf-8")


def _provenance(imported: Imported) -> dict[str, object]:
    original = imported.original
    names = (CONFIG, marian_weights.WEIGHTS, marian_tokenizer.VOCABULARY, marian_tokenizer.SOURCE_MODEL)
    return {
        "imported": {
            "format": "Marian, in Hugging Face's form",
            "from": original.name,
            "revision": original.revision,
            "files": {name: content_hash(original.directory / name) for name in names},
            "reference": imported.reference.made_by,
        },
        **_languages(imported),
        "parameters": imported.model.network.num_parameters(),
        "versions": {"mtcli": mtcli.__version__, "torch": torch.__version__},
    }


def _languages(imported: Imported) -> dict[str, object]:
    """The codes of what the model reads and writes, where its own files or its name tell them."""
    if imported.languages:
        return {}  # each line says what to translate it into
    named = _DIRECTION.search(imported.original.name.rstrip("/"))
    told = zip(imported.vocabulary.languages, named.groups() if named else ("", ""), strict=True)
    src, tgt = (next((code for code in codes if re.match(LANGUAGE_CODE, code)), None) for codes in told)
    if prefix := imported.vocabulary.prefix:
        tgt = prefix.strip("<>")
    return {"settings": {"card": {"src_code": src, "tgt_code": tgt}}} if src and tgt else {}


def _card(imported: Imported) -> str:
    at = f" at revision {imported.original.revision}" if imported.original.revision else ""
    return (
        f"# {Path(imported.original.name).name}\n\n"
        f"A Marian model, imported from `{imported.original.name}`{at} with `mtcli import`. What its authors say of "
        "its data, its purpose and its licence holds for this copy too.\n\n"
        "    mtcli translate -m DIR -i FILE\n"
    )
