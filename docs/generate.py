"""Write the generated pages of the reference: the commands, the settings, the errors.

python docs/generate.py            rewrite them
python docs/generate.py --check    change nothing; exit 1 naming the pages that are out of date
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from generator.commands import command_pages
from generator.errors import errors_page
from generator.settings import settings_page

REFERENCE = Path(__file__).resolve().parent / "reference"


def generated_pages() -> dict[str, str]:
    """Return the Markdown of every generated page by its path below docs/reference."""
    commands = {f"commands/{name}.md": text for name, text in command_pages().items()}
    return {"errors.md": errors_page(), "settings.md": settings_page(), **commands}


def out_of_date(pages: Mapping[str, str], reference: Path = REFERENCE) -> list[str]:
    """Return the paths of pages that differ from the code, and of command pages whose command is gone."""
    differing = [
        path
        for path, text in pages.items()
        if not (reference / path).exists() or (reference / path).read_text(encoding="utf-8") != text
    ]
    return sorted(differing) + _left_over(pages, reference)


def write(pages: Mapping[str, str], reference: Path = REFERENCE) -> None:
    """Write every page, and remove those of commands that are gone."""
    for path, text in pages.items():
        (reference / path).parent.mkdir(parents=True, exist_ok=True)
        (reference / path).write_text(text, encoding="utf-8")
    for path in _left_over(pages, reference):
        (reference / path).unlink()


def _left_over(pages: Mapping[str, str], reference: Path) -> list[str]:
    existing = {path.relative_to(reference).as_posix() for path in reference.glob("commands/*.md")}
    return sorted(existing - set(pages))


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the generated pages of docs/reference from the code.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a page is out of date")
    pages = generated_pages()
    if not parser.parse_args().check:
        write(pages)
    elif stale := out_of_date(pages):
        sys.exit(f"Out of date in docs/reference: {', '.join(stale)}. Run: python docs/generate.py")


if __name__ == "__main__":
    main()
