"""Made-up results of `mtcli bench` with round numbers."""

from typing import Any

from mtcli.bench.record.schema import (
    Ceilings,
    Copied,
    Decoded,
    Device,
    Figure,
    Kernels,
    Launched,
    Model,
    Phase,
    Product,
    Record,
    Train,
    Trained,
    Translate,
)

_ONCE = Figure(median=1.0, low=1.0, high=1.0, repeats=10)

CEILINGS = Ceilings(
    copy=(
        Copied(bytes=1000, microseconds=_ONCE, bytes_per_second=1e9),
        Copied(bytes=100, microseconds=_ONCE, bytes_per_second=4e9),
        Copied(bytes=10, microseconds=_ONCE, bytes_per_second=2e9),
    ),
    matmul=(
        Product(dtype="float32", m=8, k=8, n=8, microseconds=_ONCE, flops_per_second=1e11),
        Product(dtype="bfloat16", m=8, k=8, n=8, microseconds=_ONCE, flops_per_second=2e11),
    ),
    launch=(Launched(what="one", microseconds=_ONCE),),
    bytes_per_second=1e9,
    flops_per_second={"float32": 1e11, "bfloat16": 2e11},
    launch_microseconds=1.0,
)

CPU = Device(kind="cpu", name="A processor", cpu="A processor", cores=2, memory_gib=4.0, threads=2)

MODEL = Model(name="tiny", parameters=10, vocabulary=10, encoder_layers=1, decoder_layers=1, d_model=4, random=True)


def kernel_row(num_bytes: int, flops: int, seconds: float, ours: str = "padded") -> dict[str, Any]:
    """A case that was timed: by mtcli's own form and by one twice as fast."""
    timed = [
        {
            "name": name,
            "status": "right",
            "eager": {"median": 1e6 * taken},
            "bytes_per_second": num_bytes / taken,
            "flops_per_second": flops / taken,
        }
        for name, taken in ((ours, seconds), ("other", seconds / 2))
    ]
    broken = {"name": "third", "status": "wrong", "why": "output 0 is wrong"}
    return {"bytes": num_bytes, "flops": flops, "dtype": "float32", "contestants": [*timed, broken]}


def record(**changes: Any) -> Record:
    """A record with two operations, two phases of translation and two of training."""
    kernels = Kernels(
        operations={
            "attention": (kernel_row(1000, 4000, 2e-6), kernel_row(1000, 8000, 1e-6)),
            "loss": (kernel_row(1000, 0, 1e-6),),
        },
        ours="padded",
    )
    encoder = Phase(name="encoder", seconds=2.0, share=0.5, bytes=1_000_000, flops=8_000_000)
    host = Phase(name="host", seconds=1.0, share=0.25)
    forward = Phase(name="forward", seconds=1.0, share=0.5, bytes=1_000_000, flops=2_000_000)
    parts: dict[str, Any] = {"model": MODEL, "sources": "made up", "checks": ()}
    fields: dict[str, Any] = {
        "command": "mtcli bench",
        "date": "2030-01-02T03:04:05Z",
        "seconds": 9.0,
        "seed": 1,
        "device": CPU,
        "versions": {"mtcli": "1"},
        "ceilings": CEILINGS,
        "kernels": kernels,
        "translate": Translate(
            dtype="float32",
            rows=(
                Decoded(beam=4, slots=2, status="right", phases=(encoder, host)),
                Decoded(beam=1, slots=2, status="wrong", phases=(encoder,)),
            ),
            latency=(),
            **parts,
        ),
        "train": Train(
            dtype="bfloat16",
            rows=(Trained(way="auto", status="right", batch_tokens=10, phases=(forward,)),),
            **parts,
        ),
    }
    return Record(**fields | changes)
