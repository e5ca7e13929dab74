"""What tables and plots make of the rows of a contest: which are the best, in which order, and who is faster."""

from collections.abc import Hashable, Sequence

from benchmarks.contest.records import Decoded, Trained, in_cores

OURS = "mtcli"


def best(rows: Sequence[Decoded]) -> list[Decoded]:
    """Return, of rows that differ in batch and threads alone, the best of those measured most often, in their order."""
    found: dict[Hashable, Decoded] = {}
    for row in rows:
        if row.median is not None:
            found[row.kind] = max(found.get(row.kind, row), row, key=_rank)
    return [row for row in rows if row in found.values()]


def _rank(row: Decoded) -> tuple[int, float]:
    """How often it was measured, and how fast it is."""
    median = row.median or 0.0
    return sum(figure is not None for figure in row.rounds), median if row.p95 is None else -median


def in_order(rows: Sequence[Decoded]) -> list[Decoded]:
    """Return rows by search, then by decoder, each in the order of its first row; without those that have no figure."""
    rows = [row for row in rows if row.median is not None]
    searches, decoders = [row.search for row in rows], [row.contestant for row in rows]
    return sorted(rows, key=lambda row: (searches.index(row.search), decoders.index(row.contestant)))


def best_against_best(rows: Sequence[Trained]) -> list[str]:
    """Say how many times as fast mtcli's fastest number type is as each way of each peer at its own."""
    found = []
    for cores in dict.fromkeys(row.cores for row in rows):
        fastest: dict[tuple[str, str], tuple[float, str]] = {}
        for row in rows:
            if row.cores == cores and row.median is not None:
                who = (row.contestant, row.way)
                fastest[who] = max(fastest.get(who, (0.0, "")), (row.median, row.dtype))
        ours, dtype = fastest.get((OURS, ""), (0.0, ""))
        found += [
            f"On {in_cores(cores)} mtcli at its fastest ({dtype}) trains {ours / rate:.1f} times as fast as "
            f"{name}{',' if ',' in name else ''} at its own ({', '.join(filter(None, (its, way)))})."
            for (name, way), (rate, its) in fastest.items()
            if ours and name != OURS
        ]
    return found
