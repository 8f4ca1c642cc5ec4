"""Drawing on a PDF page with the dashboard's own type and colours: wrapped text, badges, bars, tables.

Coordinates are points from the top left corner of the page; every function that flows text returns the y
below what it drew. Fonts are embedded, so a page looks the same on any machine.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from dtsen_core.paths import STATIC
from dtsen_core.present import theme

REGULAR = "PlusJakartaSans"
BOLD = "PlusJakartaSans-SemiBold"
LEADING = 1.32


@lru_cache(maxsize=1)
def _register_fonts() -> None:
    folder = STATIC / "fonts"
    pdfmetrics.registerFont(TTFont(REGULAR, str(folder / "PlusJakartaSans-Regular.ttf")))
    pdfmetrics.registerFont(TTFont(BOLD, str(folder / "PlusJakartaSans-SemiBold.ttf")))


@dataclass(frozen=True)
class Box:
    """A rectangle: left, top, width, height in points."""

    x: float
    y: float
    width: float
    height: float


class Sheet:
    """One A4 portrait page in the making."""

    def __init__(self, *, title: str, subject: str, lang: str, author: str) -> None:
        _register_fonts()
        self._buffer = io.BytesIO()
        # invariant: the same figures give the same bytes, whenever the page is made.
        self.canvas = Canvas(self._buffer, pagesize=A4, invariant=1, lang=lang)
        self.canvas.setTitle(title)
        self.canvas.setSubject(subject)
        self.canvas.setAuthor(author)
        self.width, self.height = A4

    def finish(self) -> bytes:
        self.canvas.showPage()
        self.canvas.save()
        return self._buffer.getvalue()

    def text(
        self, x: float, y: float, content: str, *, size: float = 8, bold: bool = False,
        colour: str = theme.INK, align: str = "left",
    ) -> None:  # fmt: skip
        """One line with its baseline at `y`."""
        self.canvas.setFont(BOLD if bold else REGULAR, size)
        self.canvas.setFillColor(HexColor(colour))
        draw = {
            "left": self.canvas.drawString,
            "right": self.canvas.drawRightString,
            "centre": self.canvas.drawCentredString,
        }[align]
        draw(x, self.height - y, content)

    def fitting(self, content: str, width: float, largest: float) -> float:
        """The largest type size up to `largest` at which `content` in bold fits on one line of `width`."""
        return min(largest, largest * width / pdfmetrics.stringWidth(content, BOLD, largest))

    def paragraph(
        self, x: float, y: float, width: float, content: str, *, size: float = 8, bold: bool = False,
        colour: str = theme.INK,
    ) -> float:  # fmt: skip
        """Text wrapped to `width`, starting below `y`; returns the y below it."""
        for line in simpleSplit(content, BOLD if bold else REGULAR, size, width):
            y += size * LEADING
            self.text(x, y - size * (LEADING - 1), line, size=size, bold=bold, colour=colour)
        return y

    def rectangle(self, box: Box, colour: str, *, radius: float = 0, outline: str | None = None) -> None:
        self.canvas.setFillColor(HexColor(colour))
        if outline:
            self.canvas.setStrokeColor(HexColor(outline))
            self.canvas.setLineWidth(0.6)
        bottom = self.height - box.y - box.height
        if radius:
            self.canvas.roundRect(box.x, bottom, box.width, box.height, radius, fill=1, stroke=bool(outline))
        else:
            self.canvas.rect(box.x, bottom, box.width, box.height, fill=1, stroke=bool(outline))

    def frame(self, box: Box, colour: str) -> None:
        """A thin rounded outline."""
        self.canvas.setStrokeColor(HexColor(colour))
        self.canvas.setLineWidth(0.6)
        self.canvas.roundRect(box.x, self.height - box.y - box.height, box.width, box.height, 3, fill=0)

    def line(self, x0: float, y0: float, x1: float, y1: float, colour: str = theme.FAINT, width: float = 0.6) -> None:
        self.canvas.setStrokeColor(HexColor(colour))
        self.canvas.setLineWidth(width)
        self.canvas.line(x0, self.height - y0, x1, self.height - y1)

    def dot(self, x: float, y: float, radius: float, colour: str) -> None:
        self.canvas.setFillColor(HexColor(colour))
        self.canvas.circle(x, self.height - y, radius, fill=1, stroke=0)

    def badge(self, right: float, y: float, content: str, *, size: float = 8) -> None:
        """A warning label whose right edge stands at `right`, its text on the baseline `y`."""
        width = pdfmetrics.stringWidth(content, BOLD, size) + 10
        self.rectangle(Box(right - width, y - size - 2, width, size + 7), "#FDF1DC", radius=3, outline=theme.WARNING)
        self.text(right - width / 2, y, content, size=size, bold=True, colour="#8A4600", align="centre")

    def stacked_bar(self, box: Box, shares: Sequence[tuple[float, str, str, str]], *, size: float = 7) -> None:
        """Shares of one whole, left to right: (share, colour, text colour, text); text only where it fits."""
        x = box.x
        for share, colour, ink, content in shares:
            width = box.width * max(share, 0.0)
            self.rectangle(Box(x, box.y, width, box.height), colour)
            if content and pdfmetrics.stringWidth(content, REGULAR, size) + 6 <= width:
                self.text(x + 3, box.y + box.height / 2 + size * 0.36, content, size=size, colour=ink)
            x += width

    def table(
        self, x: float, y: float, widths: Sequence[float], rows: Sequence[Sequence[str]], *, size: float = 7
    ) -> float:
        """Rows of text, the first as head; first column left, the others right; returns the y below."""
        step = size * 1.75
        for number, row in enumerate(rows):
            left = x
            for place, (cell, width) in enumerate(zip(row, widths)):
                self.text(
                    left if place == 0 else left + width,
                    y + size * 1.25,
                    cell,
                    size=size,
                    bold=number == 0,
                    colour=theme.MUTED if number == 0 else theme.INK,
                    align="left" if place == 0 else "right",
                )
                left += width
            y += step
            self.line(x, y, x + sum(widths), y)
        return y
