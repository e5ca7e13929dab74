"""Strings of user interfaces, made up by chance, always the same: placeholders, tags, URLs, numbers, capitals."""

import csv
from pathlib import Path
from random import Random

from configs.broad.things import expand

_CARRIERS = Path(__file__).parents[2] / "configs" / "broad" / "carriers.tsv"
_KINDS = ("url", "mail", "path_name", "code", "number", "placeholder")
# How a string is written: as it is, in capitals, or inside one of the grammar's frames (tags, lists, notes).
_WAYS = ("plain", "plain", "plain", "plain", "framed", "capitals")


def ui_strings(number: int, seed: int) -> list[str]:
    """Make so many, no two the same."""
    random = Random(seed)
    with _CARRIERS.open(encoding="utf-8", newline="") as file:
        rows = [(row["kind"], row["en"]) for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    carriers = [row for row in rows if row[0] in _KINDS]
    made: dict[str, None] = {}
    while len(made) < number:
        kind, text = random.choice(carriers)
        way = random.choice(_WAYS)
        text = text.upper() if way == "capitals" else text
        for place in range(2):
            text = text.replace(f"⟨{place}⟩", expand(f"⟨{kind}⟩", random))
        made[expand("⟨frame⟩", random).replace("…", text) if way == "framed" else text] = None
    return list(made)
