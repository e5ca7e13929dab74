"""Writing the demo's corpus to files."""

from pathlib import Path

from mtcli.demo.grammar import DemoCorpus, Pair, generate
from mtcli.files import file_error, write_atomically


def write_demo_corpus(directory: Path) -> DemoCorpus:
    """Generate the corpus and write train, valid and test as .ko and .en files, line by line.

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
    return corpus
