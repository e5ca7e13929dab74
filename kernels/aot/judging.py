"""What a compiled kernel must be: within the GPU's registers and shared memory, and on its tensor cores."""

from aot.rows import Row

# KiB of shared memory that one block may ask for: "Maximum amount of shared memory per thread block" in the table
# of technical specifications per compute capability, CUDA C++ Programming Guide.
SHARED_LIMIT_KIB = {80: 163, 86: 99, 89: 99, 90: 227, 100: 227, 120: 99}


def problems(row: Row) -> list[str]:
    """What is wrong with a row, a clause each; empty where nothing is.

    Args:
        row: a compilation.
    """
    found = list(row.errors)
    if row.spill_bytes:
        found.append(
            f"it spills: {row.spill_bytes} bytes of each thread are in local memory, not in registers; "
            "give it smaller blocks, or more warps"
        )
    limit = SHARED_LIMIT_KIB.get(row.arch, 0) * 1024
    if not limit:
        found.append(f"the check does not know how much shared memory sm_{row.arch} has")
    elif row.shared_bytes is not None and row.shared_bytes > limit:
        found.append(
            f"it wants {row.shared_bytes} bytes of shared memory and sm_{row.arch} gives a block {limit}; "
            "give it smaller blocks, or fewer stages"
        )
    if row.tensor_cores and row.dtype in ("fp16", "bf16"):
        if row.hmma == 0 and row.hgmma == 0:
            found.append("it has no tensor-core instruction, though the case says it computes on them")
        elif row.fma_dots:
            found.append(f"{row.fma_dots} of its tl.dot became ordinary multiplications")
    return found
