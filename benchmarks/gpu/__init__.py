"""What mtcli does on a GPU, measured: `make gpu`, or `python -m benchmarks.gpu` with this folder's parent on the path.

A stage is a module with a function `run(context)`; `benchmarks.gpu.stages` lists them. Each runs in a process of its own
with a time limit, and saves what it finds into RESULTS as it goes. Without a GPU, `make gpu REHEARSE=1` runs the
same code on the CPU at toy sizes: the way to try a change before a GPU is at hand. Its figures mean nothing.
"""
