"""What a film, a picture or a sound says about itself: by ffprobe, ffmpeg and exiftool, in the sandbox.

Everything that they write is a stranger's: read strictly, and what has not its form is left out.
"""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

from crypto.unseal.sandbox import FILE, Limits, Sandbox

_WORDS = Limits(seconds=20, memory=2 << 30, output=1 << 16)
_PICTURE = Limits(seconds=30, memory=2 << 30, output=1 << 18)
_JPEG = b"\xff\xd8\xff"
# Containers of films, pictures and sounds. A playlist or a script that names other files is none.
_FORMATS = (
    "aac,ac3,aiff,amr,ape,asf,avi,bmp_pipe,caf,dhav,dv,flac,flv,gif,h264,hevc,ivf,jpeg_pipe,m4v,"
    "matroska,webm,mjpeg,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpeg,mpegts,mpegvideo,mxf,ogg,png_pipe,rm,"
    "tiff_pipe,wav,webp_pipe,wtv"
)
_GUARD = ("-v", "error", "-format_whitelist", _FORMATS, "-protocol_whitelist", "file")
_ASKED = (
    "format=format_name,duration:format_tags=creation_time,com.apple.quicktime.creationdate"
    ":stream=codec_type,codec_name,width,height:stream_disposition=attached_pic"
)
_PICTURES = re.compile(r".*_pipe|image2|gif")
_CODEC = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_TIME = re.compile(r"([0-9]{4})[-:]([0-9]{2})[-:]([0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(.*)")
_ZONE = re.compile(r"(?:\.[0-9]{1,9})?(Z|[+-][0-9]{2}:?[0-9]{2})")
_FIRST_YEAR = 1980  # an earlier one is a clock that was never set
_LONGEST = 10 * 366 * 86400.0
_WIDEST = 1 << 17
# What no decoder needs to see.
_NO_MEDIA = re.compile(
    r"\.(7z|asc|csv|docx?|eml|exe|gpg|gz|html?|json|md|od[pst]|pdf|pps|pptx?|rar|rtf|sig|svg|tar|txt"
    r"|xhtml|xlsx?|xml|xz|zip)"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a content. `seconds` 0 and texts empty: not known."""

    kind: str = "other"
    seconds: float = 0.0
    codec: str = ""
    width: int = 0
    height: int = 0
    recorded: str = ""
    thumbnail: bool = False
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Looker:
    """The programs of this machine, each a path or None, and the sandbox they run in."""

    sandbox: Sandbox
    ffprobe: str | None
    ffmpeg: str | None
    exiftool: str | None

    @property
    def programs(self) -> list[str]:
        """Give the names of those that are here."""
        found = {"ffprobe": self.ffprobe, "ffmpeg": self.ffmpeg, "exiftool": self.exiftool}
        return [name for name, path in found.items() if path]

    def look(self, file: Path) -> tuple[Seen, bytes]:
        """Give what is known of a file, and a thumbnail (JPEG) or nothing."""
        if not self.ffprobe or not may_be_media(file.name):
            return Seen(), b""
        out = self.sandbox.run(
            [self.ffprobe, *_GUARD, "-of", "json", "-show_entries", _ASKED, f"file:{FILE}"],
            file,
            _WORDS,
        )
        described = None if out is None else parse_description(out)
        if described is None:
            return Seen(trouble="no film, picture or sound that can be read here"), b""
        thumbnail = self._thumbnail(file, described)
        wanted = described.kind in {"video", "image"}
        trouble = (
            "no picture could be made of it" if wanted and self.ffmpeg and not thumbnail else ""
        )
        return (
            Seen(
                described.kind,
                described.seconds,
                described.codec,
                described.width,
                described.height,
                described.recorded or self._recorded(file),
                bool(thumbnail),
                trouble,
            ),
            thumbnail,
        )

    def _thumbnail(self, file: Path, described: Seen) -> bytes:
        if not self.ffmpeg or described.kind not in {"video", "image"}:
            return b""
        # The first second of a film is often black.
        for start in sorted({0.0, min(10.0, described.seconds / 10)}, reverse=True):
            made = self.sandbox.run(_frame(self.ffmpeg, start), file, _PICTURE)
            if made and made.startswith(_JPEG):
                return made
        return b""

    def _recorded(self, file: Path) -> str:
        if not self.exiftool:
            return ""
        out = self.sandbox.run(
            [self.exiftool, "-j", "-fast", "-DateTimeOriginal", "-CreateDate", "--", FILE],
            file,
            _WORDS,
        )
        return parse_exif(out or b"")


def _frame(ffmpeg: str, start: float) -> list[str]:
    return [
        ffmpeg,
        *("-nostdin", "-threads", "1", *_GUARD, "-noaccurate_seek", "-ss", f"{start:.3f}"),
        *("-i", f"file:{FILE}", "-map", "0:v:0", "-frames:v", "1", "-threads", "1"),
        *("-vf", "scale=320:180:force_original_aspect_ratio=decrease,format=yuvj420p"),
        *("-map_metadata", "-1", "-c:v", "mjpeg", "-q:v", "6", "-flags:v", "+bitexact"),
        *("-f", "image2pipe", "pipe:1"),
    ]


def may_be_media(name: str) -> bool:
    """Tell whether a decoder is asked at all."""
    return not _NO_MEDIA.fullmatch(Path(name.removesuffix(".partial")).suffix.lower())


def parse_description(out: bytes) -> Seen | None:
    """Read what ffprobe wrote; None if it is no film, picture or sound."""
    found = _parsed(out)
    form = found.get("format")
    streams = found.get("streams")
    if not isinstance(form, dict) or not isinstance(streams, list):
        return None
    films = [s for s in streams if _is_a(s, "video") and not _is_cover(s)]
    sounds = [s for s in streams if _is_a(s, "audio")]
    if not films and not sounds:
        return None
    kind = "video" if films else "audio"
    if films and _PICTURES.fullmatch(str(form.get("format_name"))):
        kind = "image"
    said = form.get("tags")
    tags = said if isinstance(said, dict) else {}
    first = films[0] if films else {}
    times = [tags.get("com.apple.quicktime.creationdate"), tags.get("creation_time")]
    return Seen(
        kind,
        0.0 if kind == "image" else _seconds(form.get("duration")),
        ", ".join(codec for s in (films[:1] + sounds[:1]) if (codec := _codec(s))),
        _pixels(first.get("width")),
        _pixels(first.get("height")),
        next((time for value in times if (time := parse_time(value))), ""),
    )


def parse_exif(out: bytes) -> str:
    """Read the time of recording from what exiftool wrote; empty if there is none."""
    values = _parsed(out.strip()[1:-1] if out.strip().startswith(b"[") else b"")
    times = (parse_time(values.get(name)) for name in ("DateTimeOriginal", "CreateDate"))
    return next((time for time in times if time), "")


def parse_time(value: object) -> str:
    """Give a time as `2026-03-01 12:00:00`, with its zone if one is said; empty if it is none."""
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if not match or int(match[1]) < _FIRST_YEAR:
        return ""
    zone = _ZONE.fullmatch(match[5])
    behind = "" if zone is None else " UTC" if zone[1] == "Z" else f" {zone[1]}"
    return f"{match[1]}-{match[2]}-{match[3]} {match[4]}{behind}"


def _parsed(out: bytes) -> dict[str, object]:
    try:
        found = json.loads(out)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_a(stream: object, kind: str) -> bool:
    return isinstance(stream, dict) and stream.get("codec_type") == kind


def _is_cover(stream: dict[str, object]) -> bool:
    disposition = stream.get("disposition")
    return isinstance(disposition, dict) and disposition.get("attached_pic") == 1


def _codec(stream: dict[str, object]) -> str:
    name = stream.get("codec_name")
    return name if isinstance(name, str) and _CODEC.fullmatch(name) else ""


def _seconds(value: object) -> float:
    try:
        seconds = float(value) if isinstance(value, str) else 0.0
    except ValueError:
        return 0.0
    return round(seconds, 3) if math.isfinite(seconds) and 0 < seconds < _LONGEST else 0.0


def _pixels(value: object) -> int:
    return value if isinstance(value, int) and 0 < value < _WIDEST else 0
