"""One page of HTML that holds all that it shows, and asks nobody for anything."""

from imptrace.render.report.model import Report, ReportRow
from imptrace.render.report.page import page

__all__ = ["Report", "ReportRow", "page"]
