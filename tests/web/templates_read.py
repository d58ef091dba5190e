"""What a template shows that no translator ever sees: words outside of every gettext call."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import Environment, nodes

TEMPLATES = Path(__file__).parents[2] / "submit" / "web" / "templates"
SPOKEN = {
    "alt",
    "aria-description",
    "aria-label",
    "aria-valuetext",
    "label",
    "placeholder",
    "title",
}
EXACT = {"code", "kbd", "pre", "samp", "style"}  # commands and addresses are the same everywhere
NAMES = {"Nightferry"}
GETTEXT = {"_", "gettext", "ngettext"}
HOLE = "0"  # stands for what an expression would put there: no letter

_VOID = {"br", "hr", "img", "input", "link", "meta"}


class Words(HTMLParser):
    """Collects the words that a reader or a screen reader meets."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        spoken = SPOKEN | ({"value"} if tag == "input" and given.get("type") == "submit" else set())
        for name in spoken & set(given):
            self._note(given[name] or "")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not EXACT & set(self._open):
            self._note(data)

    def _note(self, text: str) -> None:
        words = " ".join(text.split())
        if any(character.isalpha() for character in words) and words not in NAMES:
            self.found.append(words)


def unwrapped(source: str) -> list[str]:
    """Give the words of a template that would stay English in every language."""
    template = Environment(extensions=["jinja2.ext.i18n"], autoescape=True).parse(source)
    html = "".join(_html(template))
    return [*Words(html).found, *_literals(template)]


def _html(template: nodes.Template) -> Iterator[str]:
    for output in template.find_all(nodes.Output):
        for node in output.nodes:
            yield node.data if isinstance(node, nodes.TemplateData) else HOLE


def _literals(template: nodes.Template) -> Iterator[str]:
    """Give the strings that expressions show: `{{ "file" if one else "files" }}`."""
    for output in template.find_all(nodes.Output):
        for node in output.nodes:
            yield from _shown(node)
    for assignment in template.find_all(nodes.Assign):
        yield from _shown(assignment.node)


def _shown(node: nodes.Node | None) -> Iterator[str]:
    match node:
        case nodes.Const(value=str(text)) if not text.startswith("/"):  # not an address
            yield from [text] if any(character.isalpha() for character in text) else []
        case nodes.CondExpr():
            yield from _shown(node.expr1)
            yield from _shown(node.expr2)
        case nodes.BinExpr():
            yield from _shown(node.left)
            yield from _shown(node.right)
        case nodes.Concat():
            for part in node.nodes:
                yield from _shown(part)
        case nodes.Filter():
            yield from _shown(node.node)
        case nodes.Call(node=nodes.Name(name=name)) if name not in GETTEXT:
            # A macro may be given an id or a class, but a sentence has spaces.
            given = [*node.args, *(one.value for one in node.kwargs)]
            yield from (text for one in given for text in _shown(one) if " " in text)
        case _:
            pass
