"""These tests take minutes and more: `make soak` runs them, no other target."""

import os

collect_ignore_glob = [] if "KILLS" in os.environ else ["test_*.py"]
