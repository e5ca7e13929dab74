"""Other decoders, each in a process of its own that a benchmark talks to (`peers.protocol`).

These modules run on the Python of .venv-peers (`make peers`), which has no mtcli. All contestants, mtcli among them,
are `peers.engine.Engine`s that read the same description of a model, so what is timed is written down once.
"""
