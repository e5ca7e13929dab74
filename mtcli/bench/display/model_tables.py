"""Decoding and training of a record as tables. Needs no torch."""

from collections.abc import Sequence

from mtcli.bench.display.quantities import RateUnit, number, optional, share, spread
from mtcli.bench.display.tables import Block, Table
from mtcli.bench.record.schema import Check, Decoded, Figure, Latency, Model, Phase, Train, Trained, Translate

LEFT_OUT = "left out"  # is told once, below everything


def translate_tables(section: Translate) -> list[Block]:
    """Rates by beam and slots, where the time goes, and the latency of single sentences."""
    rows = sorted((row for row in section.rows if row.status != LEFT_OUT), key=lambda row: (row.beam, row.slots))
    rates = Table(
        title=f"Translate: {model_words(section.model)}, {section.dtype}; {section.sources}",
        columns=(
            "beam",
            "slots",
            "target tokens/s",
            "spread",
            "source tokens/s",
            "sentences/s",
            "memory (GiB)",
            "roofline",
        ),
        rows=tuple(_decoded(row) for row in rows),
        words=(),
        notes=(*_checks(section.checks), *_reasons([(f"beam {row.beam}, slots {row.slots}", row) for row in rows])),
    )
    labels = [(str(row.beam), str(row.slots)) for row in rows]
    blocks: list[Block] = [rates, *_phases("decoding", ("beam", "slots"), labels, [row.phases for row in rows])]
    return [*blocks, _latency(section.latency)] if section.latency else blocks


def _decoded(row: Decoded) -> tuple[str, ...]:
    head = (str(row.beam), str(row.slots))
    rate = row.tgt_tokens_per_second
    if row.status != "right" or rate is None:
        return (*head, row.status, *[""] * 5)
    others = [_median(row.src_tokens_per_second), _median(row.sentences_per_second)]
    return (
        *head,
        number(rate.median),
        spread(rate),
        *others,
        optional(row.peak_gib),
        share(row.fraction),
    )


def _median(figure: Figure | None) -> str:
    return "" if figure is None else number(figure.median)


def _latency(rows: Sequence[Latency]) -> Table:
    return Table(
        title="One sentence at a time, from its ids to its translation's",
        columns=("beam", "sentences", "p50 (ms)", "p95 (ms)", "p99 (ms)"),
        rows=tuple(
            (str(row.beam), str(row.sentences), number(row.p50_ms), number(row.p95_ms), number(row.p99_ms))
            for row in rows
        ),
        words=(),
        notes=("p95: 95 of 100 sentences took no longer.",),
    )


def train_tables(section: Train, unit: RateUnit) -> list[Block]:
    """Rates of each way to train, and where the time goes."""
    rows = [row for row in section.rows if row.status != LEFT_OUT]
    rates = Table(
        title=f"Train: {model_words(section.model)}, {section.dtype}; {section.sources}",
        columns=(
            "way",
            "batch (tokens)",
            "update (ms)",
            "spread",
            "target tokens/s",
            unit.name,
            "MFU",
            "memory (GiB)",
        ),
        rows=tuple(_trained(row, unit) for row in rows),
        notes=(
            "MFU: the update's own operations a second over those of the best matrix product of this number type.",
            *_checks(section.checks),
            *_reasons([(f"{row.way}, {row.batch_tokens:,} tokens", row) for row in rows]),
        ),
    )
    labels = [(row.way, f"{row.batch_tokens:,}") for row in rows]
    return [rates, *_phases("training", ("way", "batch (tokens)"), labels, [row.phases for row in rows])]


def _trained(row: Trained, unit: RateUnit) -> tuple[str, ...]:
    head = (row.way, f"{row.batch_tokens:,}")
    if row.status != "right" or row.step_ms is None:
        return (*head, row.status, *[""] * 5)
    flops = "" if row.flops_per_second is None else unit(row.flops_per_second)
    figures = (number(row.step_ms.median), spread(row.step_ms), _median(row.tgt_tokens_per_second), flops)
    return (*head, *figures, share(row.mfu), optional(row.peak_gib))


def _phases(
    what: str, heads: tuple[str, str], labels: Sequence[tuple[str, str]], phases: Sequence[tuple[Phase, ...]]
) -> list[Block]:
    """Shares of the time, and how near each part is to its own roofline, where that is counted."""
    names = tuple(dict.fromkeys(phase.name for row in phases for phase in row))
    by_name = [{phase.name: phase for phase in row} for row in phases]
    columns = (
        (
            f"Where the time of {what} goes (shares of it)",
            {name: [_share(row, name) for row in by_name] for name in names},
        ),
        (
            f"How near the parts of {what} are to the roofline",
            {name: [_fraction(row, name) for row in by_name] for name in names},
        ),
    )
    blocks: list[Block] = []
    for title, cells in columns:
        shown = [name for name in names if any(cells[name])]
        rows = [(*label, *(cells[name][i] for name in shown)) for i, label in enumerate(labels) if phases[i]]
        if shown:
            blocks.append(
                Table(title=title, columns=(*heads, *shown), rows=tuple(rows), words=(0,) if what == "training" else ())
            )
    return blocks


def _share(row: dict[str, Phase], name: str) -> str:
    return share(row[name].share) if name in row else ""


def _fraction(row: dict[str, Phase], name: str) -> str:
    return share(row[name].fraction) if name in row else ""


def model_words(model: Model) -> str:
    """A model in a phrase."""
    weights = "random weights" if model.random else "weights"
    return (
        f"{model.name}, {model.encoder_layers}+{model.decoder_layers} layers of width {model.d_model}, "
        f"{model.vocabulary:,} pieces, {model.parameters / 1e6:.1f} million {weights}"
    )


def _checks(checks: Sequence[Check]) -> list[str]:
    passed = [f"{one.what.rstrip('.')} ({one.detail.rstrip('.')})" for one in checks if one.passed]
    failed = [f"FAILED: {one.what.rstrip('.')}: {one.detail.rstrip('.')}." for one in checks if not one.passed]
    return [*([f"Checked before timing: {'; '.join(passed)}."] if passed else []), *failed]


def _reasons(rows: Sequence[tuple[str, Decoded | Trained]]) -> list[str]:
    return [
        f"{words}: {row.status}: {row.why.rstrip('.')}." for words, row in rows if row.status != "right" and row.why
    ]
