"""The site builds without a warning and loads nothing from other hosts."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from support.markdown import ROOT

_LOADING = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "object": "data"}


class _Loaded(HTMLParser):
    """Collects what a browser would fetch to show a page, and the pages that it links to."""

    def __init__(self) -> None:
        super().__init__()
        self.resources: list[str] = []
        self.pages: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        target = values.get(_LOADING.get(tag, ""))
        if target and values.get("rel") != "canonical":
            self.resources.append(target)
        if tag == "a" and values.get("href"):
            self.pages.append(str(values["href"]))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


def parsed(page: Path) -> _Loaded:
    parser = _Loaded()
    parser.feed(page.read_text(encoding="utf-8"))
    return parser


def test_every_page_of_docs_is_there(site: Path) -> None:
    expected = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    assert expected <= {path.relative_to(site) for path in site.rglob("*.html")}
    assert not list(site.rglob("*.py"))


def test_nothing_is_loaded_from_other_hosts(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert [target for target in parsed(page).resources if re.match(r"(https?:)?//", target)] == [], page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*['\"]?(https?:)?//", sheet.read_text(encoding="utf-8")), sheet


def test_what_is_loaded_and_linked_exists(site: Path) -> None:
    for page in site.rglob("*.html"):
        if page.name == "404.html":  # its links are those of a site at the root of a host
            continue
        found = parsed(page)
        for target in {*found.resources, *found.pages}:
            path = target.partition("#")[0].partition("?")[0]
            if path and not re.match(r"[a-z]+:", target):
                assert (page.parent / path).exists(), f"{page}: {target}"


def test_pages_from_beside_docs_link_to_each_other(site: Path) -> None:
    kernels = parsed(site / "explanation" / "kernels" / "index.html").pages
    assert "masked_attention.html" in kernels
    assert not any("mtcli_kernels" in target for target in kernels)
