"""What a Python has installed, asked of it."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

_SCRIPT = """
import json, platform, sys
from importlib import metadata
print(json.dumps({"python": platform.python_version(), **{name: metadata.version(name) for name in sys.argv[1:]}}))
"""


def installed(python: Path, packages: Sequence[str]) -> dict[str, str]:
    """Versions of these distributions, and the interpreter's.

    Raises:
        ValueError: it lacks one, or cannot be run.
    """
    try:
        asked = subprocess.run([str(python), "-c", _SCRIPT, *packages], capture_output=True, text=True, check=True)
    except OSError as error:
        raise ValueError(f"{python} cannot be run: {error.strerror}") from error
    except subprocess.CalledProcessError as error:
        raise ValueError(f"{python} lacks one of {', '.join(packages)}") from error
    found: dict[str, str] = json.loads(asked.stdout)
    return found
