"""The catalogues of the pages' texts: gathered from the sources, compiled for gettext.

`./nightferry translations` brings every messages.po up to date with the sources and says what it
still lacks. Translations are kept and never guessed. There are no line numbers and no dates in the
files, so that a change there is a change of words. The service itself imports none of this.
"""

import ast
import datetime as dt
import io
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from submit.web.languages import CATALOGUES, ENGLISH, LANGUAGES, Language

_SUBMIT = Path(__file__).parents[1]
_TEMPLATES = _SUBMIT / "web" / "templates"
_JINJA = {"newstyle_gettext": "true", "trimmed": "true", "silent": "false"}
_PYTHON: dict[str, tuple[int, ...] | None] = {"gettext": None, "ngettext": (1, 2), "marked": None}
_KEYWORDS = ("_", "gettext", "ngettext")
_WIDTH = 98
_NO_DATE = dt.datetime(1980, 1, 1, tzinfo=dt.UTC)

Texts = str | tuple[str, ...]
Found = tuple[str, Texts]  # the file, and one text or its singular and plural


def gather() -> Catalog:
    """Return every text that the pages can show, without translations."""
    template = Catalog(charset="utf-8")
    for place, texts in chain(_in_templates(), _in_python(), _in_refusals()):
        template.add(texts, locations=[(place, 0)])
    return template


def update(language: Language, template: Catalog) -> Catalog:
    """Return a language's catalogue with exactly the texts of `template`, in its order."""
    catalogue = read(language)
    catalogue.update(template, no_fuzzy_matching=True)
    return catalogue


def read(language: Language, folder: Path = CATALOGUES) -> Catalog:
    """Return a language's catalogue as it is on the disk; an empty one if it is not there."""
    path = po_path(language, folder)
    if not path.exists():
        return Catalog(locale=language.locale, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language.locale, charset="utf-8")


def write(catalogue: Catalog) -> str:
    """Return the text of a messages.po."""
    body = io.BytesIO()
    write_po(body, catalogue, _WIDTH, omit_header=True, include_lineno=False, ignore_obsolete=True)
    head = (
        f"# Nightferry's pages in {catalogue.locale_identifier}. How to translate: docs/translating.md\n"
        'msgid ""\nmsgstr ""\n'
        f'"Language: {catalogue.locale_identifier}\\n"\n'
        '"MIME-Version: 1.0\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Content-Transfer-Encoding: 8bit\\n"\n'
        f'"Plural-Forms: {catalogue.plural_forms}\\n"\n\n'
    )
    return head + body.getvalue().decode()


def untranslated(catalogue: Catalog) -> list[Message]:
    """Return the texts that have no translation, or not all of its forms."""
    return [message for message in catalogue if message.id and not _whole(message, catalogue)]


def compiled(language: Language, folder: Path = CATALOGUES) -> bytes:
    """Return a language's catalogue in gettext's form: the same words give the same octets."""
    catalogue = read(language, folder)
    # Else it is the moment of compiling, in the zone of whoever compiles.
    catalogue.creation_date = _NO_DATE
    made = io.BytesIO()
    write_mo(made, catalogue)
    return made.getvalue()


def compile_outdated(folder: Path = CATALOGUES) -> None:
    """Compile each catalogue that is newer than its messages.mo. Safe to run twice at once."""
    for language in LANGUAGES:
        source = po_path(language, folder)
        target = source.with_suffix(".mo")
        if source.exists() and not _is_newer(target, source):
            unfinished = target.with_suffix(f".{os.getpid()}.new")
            unfinished.write_bytes(compiled(language, folder))
            unfinished.rename(target)


def po_path(language: Language, folder: Path = CATALOGUES) -> Path:
    """Return where a language's catalogue is."""
    return folder / language.locale / "LC_MESSAGES" / "messages.po"


def main(arguments: Sequence[str]) -> int:
    """Compile, or bring all catalogues or those of the named languages up to date."""
    if list(arguments) != ["compile"]:
        template = gather()
        for language in LANGUAGES:
            if language is not ENGLISH and (not arguments or language.code in arguments):
                _bring_up_to_date(language, template)
    compile_outdated()
    return 0


def _bring_up_to_date(language: Language, template: Catalog) -> None:
    catalogue = update(language, template)
    path = po_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = write(catalogue)
    if not path.exists() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")
    lacking = untranslated(catalogue)
    print(f"{language.code}: {len(catalogue)} texts, {len(lacking)} not translated yet")


def _in_templates() -> Iterator[Found]:
    for path in sorted(_TEMPLATES.rglob("*.html")):
        with path.open("rb") as file:
            for _, _, texts, _ in babel_extract(file, _KEYWORDS, (), _JINJA):
                yield _place(path), _bare(texts)


def _in_python() -> Iterator[Found]:
    for path in sorted(_SUBMIT.rglob("*.py")):
        with path.open("rb") as file:
            for _, texts, _, _ in extract("python", file, _PYTHON):
                yield _place(path), _bare(texts)


def _in_refusals() -> Iterator[Found]:
    """Give the constant `public` of every class: only refusals have one.

    What only staff read is in English alone.
    """
    for path in sorted(_SUBMIT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and not _is_for_staff(node):
                yield from ((_place(path), words) for words in _public(node))


def _is_for_staff(node: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Name) and base.id == "StaffRefusal" for base in node.bases)


def _public(node: ast.ClassDef) -> Iterator[str]:
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="public")], value=ast.Constant(value=str(words))):
                yield words
            case _:
                pass


def _bare(texts: str | Sequence[str | None] | None) -> Texts:
    """Return the text, or singular and plural; other arguments of the call are no texts."""
    if isinstance(texts, str):
        return texts
    found = tuple(text for text in texts or () if text)
    return found[0] if len(found) == 1 else found


def _place(path: Path) -> str:
    return str(path.relative_to(_SUBMIT.parent))


def _whole(message: Message, catalogue: Catalog) -> bool:
    forms = [message.string] if isinstance(message.string, str) else [*(message.string or ())]
    needed = 1 if isinstance(message.id, str) else catalogue.num_plurals
    return len(forms) == needed and all(forms)


def _is_newer(target: Path, source: Path) -> bool:
    return target.exists() and target.stat().st_mtime_ns > source.stat().st_mtime_ns


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
