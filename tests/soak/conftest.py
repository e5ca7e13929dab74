"""These tests take minutes and more: `make soak` runs them, `make test` does not see them."""

import os

collect_ignore_glob = [] if "KILLS" in os.environ else ["test_*.py"]
