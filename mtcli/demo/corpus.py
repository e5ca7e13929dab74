"""Writing the demo's corpus to files, and the settings to train on it with."""

from pathlib import Path

from mtcli.demo.grammar import DemoCorpus, Pair, generate
from mtcli.files import file_error, write_atomically

CONFIG_NAME = "demo.toml"
_CONFIG = """\
# A tiny network and small batches: for a regular language and little time.
preset = "tiny"

[data]
src = "train.ko"
tgt = "train.en"
valid_src = "valid.ko"
valid_tgt = "valid.en"
vocab_size = 1000

[model]
norm = "pre"
dropout = 0.1

[training]
batch_tokens = 1024
learning_rate = 2e-3
warmup_steps = 300
cooldown = 0.6
log_every = 50
"""


def write_demo_corpus(directory: Path) -> DemoCorpus:
    """Generate the corpus and write train, valid and test as .ko and .en files, line by line, and demo.toml.

    Raises:
        DataError: the directory cannot be written.
    """
    corpus = generate()
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise file_error(directory, error, "write") from error
    for name in ("train", "valid", "test"):
        pairs: list[Pair] = getattr(corpus, name)
        write_atomically(directory / f"{name}.ko", "".join(pair.korean + "\n" for pair in pairs))
        write_atomically(directory / f"{name}.en", "".join(pair.english + "\n" for pair in pairs))
    write_atomically(directory / CONFIG_NAME, _CONFIG)
    return corpus
