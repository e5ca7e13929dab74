"""Other tools, each in a process of its own: decoders that answer requests (`benchmarks.peers.engine`), and trainers.

JoeyNMT runs on the Python of .venv-peers (`make peers`), which has no mtcli; the others on mtcli's own.
All decoders, mtcli among them, are `benchmarks.peers.engine.Engine`s, so what is timed is written down once.
"""
