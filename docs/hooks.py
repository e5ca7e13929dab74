"""What building the site adds to the pages of docs: pages that lie elsewhere in the repository, and the commands.

mkdocs calls the functions whose names begin with `on_` (mkdocs.yml, `hooks`).
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
KERNELS = "kernels/mtcli_kernels"
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s]+)\)")


def included_pages() -> dict[str, str]:
    """Return the Markdown files outside docs that are pages of the site: the page's path by the file's."""
    operations = sorted(path.parent.name for path in (ROOT / KERNELS).glob("*/README.md"))
    return {
        "CONTRIBUTING.md": "contributing.md",
        "CHANGELOG.md": "changelog.md",
        "configs/broad/README.md": "guides/recipes.md",
        "kernels/README.md": "explanation/kernels/index.md",
        **{f"{KERNELS}/{name}/README.md": f"explanation/kernels/{name}.md" for name in operations},
        "kernels/mtcli_native/README.md": "explanation/kernels/native.md",
    }


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put a list of pages where the navigation names a folder: every command, every kernel."""
    folders = {"reference/commands": _command_pages(), "explanation/kernels": _kernel_pages()}
    config.nav = _filled(config.nav, folders)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie outside docs."""
    for source, page in included_pages().items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Turn links to files of the repository into links to their pages, or into their names where they have none."""
    pages = included_pages()
    origins = {page: source for source, page in pages.items()}
    source = origins.get(page.file.src_uri, f"docs/{page.file.src_uri}")

    def rewritten(link: re.Match[str]) -> str:
        mark, text, target = link.groups()
        path, hash_sign, anchor = target.partition("#")
        if not path or "://" in target or target.startswith("mailto:"):
            return link[0]
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        found = _page_of(wanted, pages)
        if found is None:
            return text
        relative = posixpath.relpath(found, posixpath.dirname(page.file.src_uri) or ".")
        return f"{mark}[{text}]({relative}{hash_sign}{anchor})"

    return "".join(
        part if part.startswith("```") else _LINK.sub(rewritten, part)
        for part in re.split(r"(^```.*?^```)", markdown, flags=re.MULTILINE | re.DOTALL)
    )


def _page_of(path: str, pages: dict[str, str]) -> str | None:
    """Return the site's path of a file of the repository, None if it has none."""
    if path in pages or not path.startswith("docs/"):
        return pages.get(path)
    return path.removeprefix("docs/")


def _command_pages() -> list[Any]:
    folder = ROOT / "docs" / "reference" / "commands"
    names = sorted(path.stem for path in folder.glob("*.md") if path.stem != "index")
    return [
        {"All commands": "reference/commands/index.md"},
        *({name: f"reference/commands/{name}.md"} for name in names),
    ]


def _kernel_pages() -> list[Any]:
    return [page for page in included_pages().values() if page.startswith("explanation/kernels/")]


def _filled(nav: Any, folders: dict[str, list[Any]]) -> Any:
    if isinstance(nav, list):
        return [_filled(entry, folders) for entry in nav]
    if isinstance(nav, dict):
        return {title: _filled(entry, folders) for title, entry in nav.items()}
    return folders.get(nav, nav)
