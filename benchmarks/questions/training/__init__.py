"""mtcli's training beside other tools' on this machine: `make bench-training`, or `python -m benchmarks.training`.

One module a question: `tiny`, `base`, `profiling`. README.md here says how they measure.
"""
