"""The contact sheet: pages of plain HTML that open from the disk, offline, with scripts or without.

Pure: entries in, text out. `index.html` holds the first page of a plain table, and all entries as data for
the script; the other pages, and the thumbnails, lie in `index-files`.

Rule 1: every name is a stranger's. In HTML it is escaped, in the data `<` is, in CSV no cell begins
        as a formula; what turns or hides text is written out (`shown`).
Rule 2: the page may load pictures from the disk, run this one script, and nothing else (CSP).
Rule 3: only what a browser shows by itself, and that cannot act, gets a link.
"""

import base64
import csv
import datetime as dt
import hashlib
import io
import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import PurePosixPath

from crypto.unseal.entries import Entry, shown
from crypto.unseal.media import Seen
from crypto.unseal.sheet_script import SCRIPT, STYLE
from crypto.unseal.terminal import amount

INDEX, FOLDER, LIST = "index.html", "index-files", "list.csv"
THUMBNAILS = "thumbs"
_ROWS = 100
_LINKED = re.compile(
    r"\.(avif|bmp|flac|gif|jpe?g|m4[av]|mkv|mov|mp[34]|og[gv]|opus|png|txt|wav|web[mp])"
)
_UNRESERVED = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/")
_FORMULA = tuple("=+-@\t\r'")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_HEADS = ("", "Name", "What it is", "Recorded", "Received", "Size", "Same as")
_FIELDS = ("place", "name", "kind", "length", "codec", "recorded", "received", "size", "digest")


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that the pages say. `troubles`: what could not be done here, in sentences."""

    title: str
    entries: Sequence[Entry]
    seen: dict[str, Seen]
    troubles: Sequence[str]

    def pages(self) -> Iterator[tuple[str, str]]:
        """Give each page's path below the bag, and its text; the first one last."""
        rows = self._rows()
        starts = range(0, max(1, len(rows)), _ROWS)
        names = [_page_name(number) for number in range(len(starts))]
        for number, start in reversed(list(enumerate(starts))):
            inside = rows[start : start + _ROWS]
            yield names[number], self._page(number, names, inside, rows if number == 0 else [])
        yield f"{FOLDER}/{LIST}", _as_csv(rows)

    def _rows(self) -> list[dict[str, object]]:
        alike = Counter(entry.digest for entry in self.entries)
        groups = {d: g for g, d in enumerate((d for d, n in alike.items() if n > 1), 1)}
        return [
            _row(entry, self.seen.get(entry.digest, Seen()), groups.get(entry.digest, 0))
            for entry in self.entries
        ]

    def _page(
        self,
        number: int,
        names: list[str],
        rows: list[dict[str, object]],
        every: list[dict[str, object]],
    ) -> str:
        above = "../" if number else ""
        links = " ".join(
            f'<a href="{above}{name}">{n + 1}</a>' if n != number else f"<b>{n + 1}</b>"
            for n, name in enumerate(names)
        )
        navigation = f"<nav><span>Page</span> {links}</nav>" if len(names) > 1 else ""
        table = "".join(_table_row(row, above) for row in rows)
        heads = "".join(f"<th>{head}</th>" for head in _HEADS)
        body = (
            f"<header><h1>{escape(shown(self.title))}</h1>{self._introduction(above)}</header>\n"
            f'<main><div id="plain">{navigation}<table><thead><tr>{heads}</tr></thead>\n'
            f"<tbody>{table}</tbody></table>{navigation}</div>\n"
        )
        if number:
            return _document(self.title, body + "</main>", with_script=False)
        return _document(self.title, f"{body}{_LIVELY}</main>{_data(every)}", with_script=True)

    def _introduction(self, above: str) -> str:
        total = amount(sum(entry.size for entry in self.entries))
        copies = len(self.entries) - len({entry.digest for entry in self.entries})
        troubles = "".join(f'<p class="warning">{escape(text)}</p>' for text in self.troubles)
        return (
            f"<p>{len(self.entries):,} files, {total}; {copies:,} of them are exact copies. "
            "This page helps to find your way. It is no evidence: the files are, with "
            f'<a href="{above}custody.txt">custody.txt</a> and the manifests. Messages: '
            f'<a href="{above}messages.txt">messages.txt</a>. All of this as a table for notes: '
            f'<a href="{above}{FOLDER}/{LIST}">{LIST}</a>.</p>{troubles}'
        )


def thumbnail_name(digest: str) -> str:
    """Give where the thumbnail of a content lies, below the bag."""
    return f"{FOLDER}/{THUMBNAILS}/{digest[:64]}.jpg"


def _page_name(number: int) -> str:
    return INDEX if number == 0 else f"{FOLDER}/page-{number + 1:04}.html"


def _row(entry: Entry, seen: Seen, group: int) -> dict[str, object]:
    return {
        "place": shown(entry.place),
        "name": shown(entry.path),
        "what": entry.what,
        "kind": seen.kind if entry.what == "file" else shown(entry.what),
        "seconds": seen.seconds,
        "length": _clock(seen.seconds),
        "codec": seen.codec,
        "pixels": f"{seen.width}×{seen.height}" if seen.width else "",  # noqa: RUF001  a times sign
        "recorded": seen.recorded,
        "modified": _day_and_time(entry.modified),
        "received": shown(entry.received),
        "size": entry.size,
        "amount": amount(entry.size),
        "digest": entry.digest,
        "group": group,
        "partial": entry.is_partial,
        "trouble": seen.trouble,
        "thumbnail": thumbnail_name(entry.digest) if seen.thumbnail else "",
        "link": _link(entry.place),
    }


def _table_row(row: dict[str, object], above: str) -> str:
    text = {name: escape(str(value)) for name, value in row.items()}
    picture = f'<img loading="lazy" alt="" src="{above}{text["thumbnail"]}">'
    name = f"<bdi>{text['name']}</bdi>"
    facts = [text[f] for f in ("kind", "length", "pixels", "codec", "trouble") if text[f]]
    cells = [
        picture if row["thumbnail"] else "",
        f'<a href="{above}{text["link"]}">{name}</a>' if row["link"] else name,
        ", ".join(facts) + (", PARTIAL" if row["partial"] else ""),
        text["recorded"] or (text["modified"] and f"(file: {text['modified']})"),
        text["received"],
        text["amount"],
        f"group {text['group']}" if row["group"] else "",
    ]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>\n"


def _link(place: str) -> str:
    if not _LINKED.fullmatch(PurePosixPath(place).suffix.lower()):
        return ""
    octets = os.fsencode(place)
    return "".join(chr(o) if o in _UNRESERVED else f"%{o:02X}" for o in octets)


def _clock(seconds: float) -> str:
    if not seconds:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def _day_and_time(milliseconds: int | None) -> str:
    if milliseconds is None:
        return ""
    try:
        moment = _EPOCH + dt.timedelta(milliseconds=milliseconds)
    except OverflowError:
        return ""
    return moment.isoformat(" ", "seconds").replace("+00:00", " UTC")


def _as_csv(rows: list[dict[str, object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow([*_FIELDS, "note"])
    for row in rows:
        cells = [str(row[name]) for name in _FIELDS]
        writer.writerow(
            [f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells] + [""]
        )
    return out.getvalue()


def _data(rows: list[dict[str, object]]) -> str:
    octets = json.dumps(rows, separators=(",", ":"))
    for character in "<>&":
        octets = octets.replace(character, f"\\u{ord(character):04x}")
    return (
        f'<script type="application/json" id="entries">{octets}</script>\n<script>{SCRIPT}</script>'
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _document(title: str, body: str, *, with_script: bool) -> str:
    scripts = f" script-src {_hash(SCRIPT)};" if with_script else ""
    policy = (
        f"default-src 'none'; img-src file:; style-src {_hash(STYLE)};{scripts} "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(shown(title))}</title>\n<style>{STYLE}</style></head>\n"
        f"<body>{body}</body></html>\n"
    )


_LIVELY = """<div id="lively" hidden><div id="tools" role="search">
<label>Search <input id="search" type="search" placeholder="name, codec, day, note"></label>
<label>Show <select id="kind"><option value="">everything</option><option>video</option>
<option>image</option><option>audio</option><option>message</option><option>other</option></select></label>
<label>Only <select id="only"><option value="">all of it</option>
<option value="once">each content once</option><option value="duplicates">exact copies, together</option>
<option value="noted">with a note</option><option value="partial">partial files</option></select></label>
<label>Order <select id="sort"><option value="name">by name</option>
<option value="recorded">by time of recording</option><option value="modified">by time of the file</option>
<option value="received">by day received</option><option value="longest">longest first</option>
<option value="shortest">shortest first</option><option value="largest">largest first</option>
<option value="smallest">smallest first</option></select></label>
<button id="save" type="button">Save notes (CSV)</button>
<label>Load notes <input id="load" type="file" accept=".csv"></label></div>
<nav><button id="previous" type="button">Previous page</button>
<button id="next" type="button">Next page</button> <span id="count" role="status"></span></nav>
<ul id="cards"></ul></div>
"""
