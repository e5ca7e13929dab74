"""One line of the report: what was compiled, and what came of it."""

from dataclasses import dataclass, field

from aot.jobs import Job, head_dim


@dataclass(frozen=True, kw_only=True)
class Row:
    """A compilation and its result; the numbers are None where it failed.

    Attributes:
        op, kernel, note: the operation, its kernel, and which variant of it.
        arch: compute capability, as 80 or 90.
        dtype: fp16, bf16 or fp32.
        head_dim: numbers in an attention head; None where there are no heads.
        blocks: the tile's block sizes, by name.
        warps, stages: as Triton takes them.
        tensor_cores: whether the case wants its dots on tensor cores in 16 bits.
        regs: registers of a thread.
        spill_bytes: local memory of a thread, bytes; 0 without spills.
        shared_bytes: shared memory of a block, bytes.
        hmma, hgmma: number of tensor-core instructions in the machine code, as sm_80 and as sm_90 has them.
        fma_dots: number of `tl.dot` that became ordinary multiplications.
        seconds: time to compile, near 0 when it was in the cache.
        triton: the version of Triton.
        errors: why it could not be compiled, a clause each.
    """

    op: str
    kernel: str
    note: str
    arch: int
    dtype: str
    head_dim: int | None
    blocks: dict[str, int]
    warps: int
    stages: int
    tensor_cores: bool
    triton: str
    regs: int | None = None
    spill_bytes: int | None = None
    shared_bytes: int | None = None
    hmma: int | None = None
    hgmma: int | None = None
    fma_dots: int | None = None
    seconds: float | None = None
    errors: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The row in words, for a message."""
        parts = [
            self.note,
            f"sm_{self.arch}",
            self.dtype,
            f"head size {self.head_dim}" if self.head_dim else "",
            " ".join(f"{name} {size}" for name, size in self.blocks.items()),
            f"{self.warps} warps",
            f"{self.stages} stages",
        ]
        return f"{self.op}: {self.kernel} ({', '.join(filter(None, parts))}), Triton {self.triton}"


def row_of(job: Job, triton_version: str, **results: object) -> Row:
    """The row of a job, with `results` for the fields that the job does not know."""
    tile = job.case.tile
    return Row(
        op=job.folder.name,
        kernel=tile.kernel,
        note=job.case.note,
        arch=job.arch,
        dtype=job.dtype,
        head_dim=head_dim(job.case),
        blocks=dict(tile.blocks),
        warps=tile.num_warps,
        stages=tile.num_stages,
        tensor_cores=job.case.tensor_cores,
        triton=triton_version,
        **results,  # type: ignore[arg-type]
    )
