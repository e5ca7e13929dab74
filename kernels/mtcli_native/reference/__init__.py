"""The definitions of the CPU's kernels in numpy: plain, slow, one beside each operation.

Read arithmetic.py first, then linear.py, normalise.py, attention.py, network.py, search.py and loop.py. They take numpy
arrays and plain objects where the kernels take addresses, sizes without padding where the kernels pad, and one sentence
where the kernels take many. The order in which numbers are added is a part of the definition: a kernel must give the
same bits.
"""
