"""The custody report: what was received when, out of which sealed file, opened with which key.

Pure: items in, text out. `custody.json` is for programs, `custody.txt` for people and courts. No time of
opening is in it, so that the same stick gives the same bag; a signature (`--sign`) has its own time.
"""

import datetime as dt
import json
from collections.abc import Sequence

from crypto.unseal import VERSION
from crypto.unseal.journal import Item, Joined
from crypto.unseal.terminal import visible

FORM = 1
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_RULE = "-" * 78


def as_json(bag: str, items: Sequence[Item], joined: Sequence[Joined]) -> str:
    """Give the report for programs."""
    report = {
        "custody": FORM,
        "tool": f"unseal {VERSION}",
        "bag": bag,
        "received": [_facts(item, joined) for item in items],
        "joined": [
            {
                "place": each.place,
                "size": each.size,
                "sha256": each.sha256,
                "sha512": each.sha512,
                "parts": list(each.uploads),
            }
            for each in joined
        ],
    }
    return json.dumps(report, indent=1, ensure_ascii=True) + "\n"


def _facts(item: Item, joined: Sequence[Joined]) -> dict[str, object]:
    part = {} if item.set is None else {"set": item.set, "part": item.part}
    partial = _partial(item) if item.is_partial else {"note": item.note} if item.note else {}
    return {
        "place": place_of(item, joined),
        "what": item.kind,
        "upload": item.upload,
        "source": item.source,
        "received": item.received,
        "path": item.path,
        "modified": item.modified,
        "filetype": item.filetype,
        **part,
        "size": item.size,
        **partial,
        "sha256": item.sha256,
        "sha512": item.sha512,
        "sealed": {
            "name": item.sealed_name,
            "size": item.sealed_size,
            "sha256": item.sealed_sha256,
        },
        "opened_with": {"key": item.opened_with_key, "certificate": item.opened_with_certificate},
    }


def _partial(item: Item) -> dict[str, object]:
    partial = {
        "kept": item.kept,
        "missing": item.size - item.kept,
        "damaged": item.damaged,
        "note": item.note,
        "tail_sha256": item.tail_sha256,
    }
    return {"partial": partial}


def place_of(item: Item, joined: Sequence[Joined]) -> str:
    """Give where an item lies: the joined file, if it was a part of one."""
    return next((each.place for each in joined if item.upload in each.uploads), item.place)


def as_text(
    bag: str, items: Sequence[Item], joined: Sequence[Joined], digests: dict[str, str]
) -> str:
    """Give the report for people; `digests` are SHA-256 of the bag's files that it vouches for."""
    return "\n".join(
        [
            "CUSTODY REPORT",
            "",
            f"Source (the name staff use):  {visible(items[0].source) or 'unknown'}",
            f"Bag:                          {bag}",
            f"Opened with:                  unseal {VERSION}, of Nightferry, and GnuPG",
            f"Received:                     {len(items)} sealed files, {_days(items)}",
            "",
            *_EXPLANATION,
            "",
            *(f"SHA-256 of {name}:  {digest}" for name, digest in sorted(digests.items())),
            "",
            *(line for item in items for line in _entry(item, joined)),
            *(line for each in joined for line in _joined(each)),
            _RULE,
            "",
        ]
    )


_EXPLANATION = (
    "Each file below was sealed by the service as it arrived, to the OpenPGP certificates of its",
    "staff, and has not been in readable form since, until it was opened into this bag. It was",
    "accepted only if all of it authenticated. Days are UTC; the service keeps no finer time.",
    "Name, time and type of a file are what the source's program said of it.",
)


def _days(items: Sequence[Item]) -> str:
    first, last = min(i.received for i in items), max(i.received for i in items)
    return f"on {first}" if first == last else f"from {first} to {last}"


def _entry(item: Item, joined: Sequence[Joined]) -> list[str]:
    lines = [
        _RULE,
        f"File in this bag:   {visible(place_of(item, joined))}",
        f"Exact name:         {_exact(item.path)}",
        f"Received on:        {item.received}",
        f"Time of the file:   {_time(item)}",
        f"Size:               {_size(item)}",
        f"SHA-256:            {item.sha256}",
        f"SHA-512:            {item.sha512[:64]}",
        f"                    {item.sha512[64:]}",
        f"Sealed file:        {visible(item.sealed_name)}, {item.sealed_size:,} bytes",
        f"  its SHA-256:      {item.sealed_sha256}",
        f"Opened with key:    {item.opened_with_key}",
        f"  of certificate:   {item.opened_with_certificate}",
    ]
    if item.set is not None:
        lines.insert(3, f"Part:               {item.part} of the set {visible(item.set)}")
    return lines + _missing(item)


def _size(item: Item) -> str:
    whole = f"{item.size:,} bytes"
    return f"{item.kept:,} of {whole}" if item.is_partial else whole


def _missing(item: Item) -> list[str]:
    if not item.is_partial:
        return [f"Note:               {item.note}"] if item.note else []
    why = "a damaged file" if item.damaged else "an upload that is not complete"
    lines = [f"PARTIAL:            the first {item.kept:,} bytes of {why};"]
    lines.append(f"                    {item.size - item.kept:,} bytes are missing at the end")
    return [*lines, f"                    ({item.note})"] if item.note else lines


def _joined(each: Joined) -> list[str]:
    return [
        _RULE,
        f"File in this bag:   {visible(each.place)}",
        f"Joined from:        {len(each.uploads)} parts, in this order:",
        *(f"                    {upload}" for upload in each.uploads),
        f"Size:               {each.size:,} bytes",
        f"SHA-256:            {each.sha256}",
        f"SHA-512:            {each.sha512[:64]}",
        f"                    {each.sha512[64:]}",
    ]


def _exact(path: str) -> str:
    """Give a name so that it can be read, and told from every other one."""
    plain = path == visible(path) and path == path.strip() and not path.startswith('"')
    return path if plain else json.dumps(path)


def _time(item: Item) -> str:
    if item.modified is None:
        return "not said"
    try:
        return (_EPOCH + dt.timedelta(milliseconds=item.modified)).isoformat(timespec="seconds")
    except OverflowError:
        return "not possible"
