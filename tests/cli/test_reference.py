"""The reference page is what the commands say of themselves."""

from tomobatch.cli.reference import render_reference


def test_the_reference_page_is_made_from_the_commands_as_they_are(repository):
    page = (repository / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    assert page == render_reference(), "stale: run make docs"
