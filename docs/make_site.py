"""Builds the documentation as a site, in build/site: ``make docs-site``.

Pages lie beside what they tell of, all over the repository, and link to one another as they lie. So
they are staged at their own paths, with the pictures; MkDocs checks every link among them, and this
script lists the links that lead out, which are not followed.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = REPOSITORY / "build" / "pages"
KINDS = ("*.md", "*.svg", "*.png", "config.yaml", "LICENSE", "CITATION.cff")
LEFT_OUT = ("tests/", "requirements/")


def main() -> None:
    """Stage the pages, build the site, and list the links that lead out."""
    stage()
    subprocess.run([sys.executable, "-m", "mkdocs", "build", "--clean"], cwd=REPOSITORY, check=True)
    links = sorted(outside_links())
    print(f"\n{len(links)} links lead out of the site:", *links, sep="\n  ")  # noqa: T201


def stage() -> None:
    """Copy pages and pictures to where MkDocs looks for them."""
    shutil.rmtree(PAGES, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *KINDS],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.splitlines():
        if not name.startswith(LEFT_OUT) and (REPOSITORY / name).is_file():
            target = PAGES / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, target)


def outside_links() -> set[str]:
    """Return every address outside that a page names."""
    texts = (page.read_text(encoding="utf-8") for page in PAGES.rglob("*.md"))
    return {link for text in texts for link in re.findall(r"\]\((https?://[^)\s]+)\)", text)}


if __name__ == "__main__":
    main()
