"""Fill the measured parts of all pages, and draw plots and pictures, from benchmarks/results.

    python -m benchmarks.report            write everything
    python -m benchmarks.report --check    change nothing; exit 1 naming what is out of date

Plots need matplotlib (the extra `viz`).
"""

import argparse
import hashlib
import sys
from pathlib import Path

from benchmarks.contest.machine import ROOT
from benchmarks.report.pages import BLOCKS, ReportError, files_of, pages_of, plot_path, shown_nowhere, updated


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description="Fill the pages' measured parts.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if something is out of date")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout whose pages are filled (this one)")
    arguments = parser.parse_args()
    try:
        stale = update(arguments.root.resolve(), check=arguments.check)
    except ReportError as error:
        sys.exit(str(error))
    if arguments.check and stale:
        sys.exit(f"Out of date: {'; '.join(stale)}. Run: make report")
    if nowhere := shown_nowhere(arguments.root, arguments.root / "benchmarks" / "results"):
        sys.exit(f"No page shows {', '.join(nowhere)}: put their blocks where they are to be read.")
    print("\n".join(f"wrote {what}" for what in stale) or "Everything is up to date.")


def update(root: Path, *, check: bool) -> list[str]:
    """Bring pages and plots up to date, or only find out what is not.

    Returns:
        What was, or is, out of date.

    Raises:
        ReportError: a page or a results file is not as it should be.
    """
    results = root / "benchmarks" / "results"
    stale = []
    for page in pages_of(root):
        text, names = updated(page, results, root)
        if names:
            stale.append(f"{page.relative_to(root)}: {', '.join(names)}")
            if not check:
                page.write_text(text, encoding="utf-8")
    return stale + _plots(root, results, check)


def _plots(root: Path, results: Path, check: bool) -> list[str]:
    """Plots that are missing or of another results file than the one that is there: each names its file's checksum."""
    stale = []
    for block in BLOCKS.values():
        for file in files_of(f"*/{block.files}.json", results) if block.plot else []:
            path, mark = plot_path(file, root), f"from {hashlib.sha256(file.read_bytes()).hexdigest()[:16]}"
            if path.exists() and mark in path.read_text(encoding="utf-8"):
                continue
            stale.append(str(path.relative_to(root)))
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                block.draw(file, path)
                drawn = path.read_text(encoding="utf-8")
                path.write_text(drawn.replace("</svg>", f"<!-- {mark} -->\n</svg>"), encoding="utf-8")
    return stale


if __name__ == "__main__":
    main()
