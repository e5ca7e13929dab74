"""Compiles the CPU's kernels when a wheel or an editable installation is made."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface[Any]):
    """Puts object code into kernels/mtcli_native/objects: all of it for a wheel, this processor's to edit."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile what is not current; where that fails, the package is made without, and a warning tells so."""
        if self.target_name != "wheel":
            return
        build_data["artifacts"].append("kernels/mtcli_native/objects/*.o")
        kernels = str(Path(self.root) / "kernels")
        command = [sys.executable, "-P", "-m", "mtcli_native.build"]
        if version == "editable":
            command.append("--this-processor")
        paths = os.pathsep.join(filter(None, [kernels, os.environ.get("PYTHONPATH")]))
        if subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}).returncode:
            self.app.display_warning(
                "The CPU's kernels could not be compiled (the messages above say why): mtcli decodes with PyTorch "
                "where they are missing, or compiles them at first use where numba is installed."
            )
