"""Builds the documentation as a site, in build/site: ``make docs-site``.

Pages lie beside what they tell of, all over the repository, and link to one another as they lie. So
they are staged at their own paths, with the pictures and whatever else they link to; a folder that
is linked to gets a page that lists it. MkDocs checks every link within, and a warning is an error;
the links that lead out are listed here, and not followed.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = REPOSITORY / "build" / "pages"
KINDS = ("*.md", "*.svg", "*.png")
LEFT_OUT = ("tests/", "requirements/")
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!https?://|#|mailto:)([^)\s#]+)(#[^)\s]*)?\)")


def main() -> None:
    """Stage the pages, build the site, and list the links that lead out."""
    stage()
    subprocess.run([sys.executable, "-m", "mkdocs", "build", "--clean"], cwd=REPOSITORY, check=True)
    links = sorted(outside_links())
    print(f"\n{len(links)} links lead out of the site:", *links, sep="\n  ")  # noqa: T201


def stage() -> None:
    """Copy pages, pictures and what they link to, to where MkDocs looks for them."""
    shutil.rmtree(PAGES, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *KINDS],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )
    names = [name for name in listed.stdout.splitlines() if not name.startswith(LEFT_OUT)]
    for name in names:
        if (REPOSITORY / name).is_file():
            copy(name)
    for page in [PAGES / name for name in names if name.endswith(".md")]:
        if page.is_file():
            text = page.read_text(encoding="utf-8")
            page.write_text(LINK.sub(lambda link: staged(link, page), text), encoding="utf-8")  # noqa: B023 - used at once


def staged(link: re.Match[str], page: Path) -> str:
    """Return a link as the staged page has it, and stage what it leads to."""
    words, target, anchor = link[1], link[2], link[3] or ""
    name = (page.parent / target).resolve().relative_to(PAGES).as_posix()
    source = REPOSITORY / name
    if source.is_dir():
        if not (source / "README.md").is_file():
            write_index(name)
        return f"[{words}]({target.rstrip('/')}/README.md)"
    if source.is_file() and not (PAGES / name).exists():
        if source.name.startswith("."):
            return words
        copy(name)
    return f"[{words}]({target}{anchor})"


def write_index(name: str) -> None:
    """Write the page of a folder: its pages by their titles, and its other files."""
    lines = [f"# {name}", ""]
    for file in sorted((REPOSITORY / name).rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            inside = file.relative_to(REPOSITORY / name).as_posix()
            copy(f"{name}/{inside}")
            title = inside
            if file.suffix == ".md":
                title = file.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
            lines.append(f"* [{title}]({inside})")
    (PAGES / name / "README.md").write_text("\n".join([*lines, ""]), encoding="utf-8")


def copy(name: str) -> None:
    """Copy a file of the repository to its place among the pages."""
    target = PAGES / name
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        shutil.copy(REPOSITORY / name, target)


def outside_links() -> set[str]:
    """Return every address outside that a page names."""
    texts = (page.read_text(encoding="utf-8") for page in PAGES.rglob("*.md"))
    return {link for text in texts for link in re.findall(r"\]\((https?://[^)\s]+)\)", text)}


if __name__ == "__main__":
    main()
