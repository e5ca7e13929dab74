"""Other decoders, each in a process of its own that a benchmark talks to (`benchmarks.peers.protocol`).

These modules run on the Pythons of .venv-peers and .venv-peers-joeynmt (`make peers`), which have no mtcli; those named
stock need PyTorch alone, and run on mtcli's. All contestants, mtcli among them, are `peers.engine.Engine`s that read
the same description of a model, so what is timed is written down once.
"""
