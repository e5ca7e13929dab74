"""The CPU's kernels: a whole search in one compiled function, written in Python and compiled by numba.

See README.md for how to read them. At run time only `mtcli_native.load` and what it needs are imported, not numba.
"""
