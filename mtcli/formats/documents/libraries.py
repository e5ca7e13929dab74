"""What is said where a format's library is not installed."""

from mtcli.errors import BackendUnavailableError


def missing_library(title: str, package: str) -> BackendUnavailableError:
    """The error for a format that cannot be read without a package; `title` names its files, such as `YAML files`."""
    return BackendUnavailableError(f"{title} need the package {package}: pip install 'mtcli-nmt[documents]'.")
