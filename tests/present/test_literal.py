"""What a stranger wrote stays text."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dtsen_core.present.literal import literal

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


class Parts(HTMLParser):
    """Tags and text of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("text", [
    "![x](http://contoh.id/x.png)", "[x](http://contoh.id)", "<img src=x>", "**a** _b_ `c` ~~d~~", "# judul", "> x",
    "<http://contoh.id>", "a | b\n--|--\n1 | 2", "&lt;b&gt;", "$x^2$", ":red[x]", "C:\\data\\*.csv",
])  # fmt: skip
def test_no_markup_comes_of_it(text: str) -> None:
    said = "Berkas " + " ".join(text.split())
    parts = Parts(MARKDOWN.render(literal(said)))
    assert parts.tags == ["p"]
    assert parts.text.strip() == said


@given(st.text(st.sampled_from("![]()<>`*_~#|:$&;\\ ab/.-"), max_size=40))
def test_nothing_made_of_signs_becomes_a_tag(text: str) -> None:
    said = "x " + " ".join(text.split())
    assert Parts(MARKDOWN.render(literal(said))).tags == ["p"]
