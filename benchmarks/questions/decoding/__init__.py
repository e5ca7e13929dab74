"""mtcli's decoding beside other decoders on this machine: `make bench-decoding`, or `python -m benchmarks.decoding`.

One module a question: `base`, `trained`, `latency`, `profiling`. README.md here says how they measure.
"""
