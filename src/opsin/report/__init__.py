"""One self-contained page that tells what a run saw, did and learnt; made from plain data only."""

from opsin.report.page import page, write
from opsin.report.story import Picture, Story

__all__ = ["Picture", "Story", "page", "write"]
