"""One self-contained page that a scientist can put on the table."""

from tomobatch.report.content import ReportContent
from tomobatch.report.page import render_page

__all__ = ["ReportContent", "render_page"]
