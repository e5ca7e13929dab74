"""What mtcli does on a GPU, checked and measured: `make gpu`, or `python -m benchmarks.gpu`.

A stage is a command with a limit of time, which saves what it finds as it goes (`benchmarks.gpu.stages`). Without a GPU,
`make gpu REHEARSE=1` runs the same commands on the CPU at toy sizes, with the kernels in Triton's interpreter: the way
to try a change before a GPU is at hand. Its figures mean nothing, and no page shows them.
"""
