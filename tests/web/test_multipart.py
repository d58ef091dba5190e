"""The reader of forms with files: exact octets, exact names, bounded memory, words for the rest."""

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from submit.errors import Refusal
from submit.web.errors import (
    FieldTooLongError,
    FormCutShortError,
    MalformedFormError,
    TooManyPartsError,
)
from submit.web.multipart import MAX_HEAD_LENGTH, parse_boundary, read_parts, read_text

BOUNDARY = b"----geckoformboundary1f"
CLOSE = b"--" + BOUNDARY + b"--\r\n"

# What a file could hold to look like the form around it.
LOOKALIKES = st.sampled_from(
    [
        b"\r\n",
        b"\r",
        b"\n",
        b"--",
        b"\r\n--",
        b"\r\n--" + BOUNDARY[:-1],
        BOUNDARY,
        b"\r\n\r\n",
        b"-",
    ]
)
# RFC 2046, 5.1.1: who writes a form chooses a boundary that is in none of its parts.
CONTENT = (
    st.lists(LOOKALIKES | st.binary(max_size=20), max_size=8)
    .map(b"".join)
    .filter(lambda content: b"--" + BOUNDARY not in content)
)
FILENAMES = st.text(st.characters(exclude_characters='"\r\n', exclude_categories=["Cs"]))


def part(disposition: str, content: bytes) -> bytes:
    """Write a part as browsers do."""
    head = f"Content-Disposition: form-data; {disposition}\r\n".encode()
    kind = b"Content-Type: application/octet-stream\r\n" if "filename" in disposition else b""
    return b"--" + BOUNDARY + b"\r\n" + head + kind + b"\r\n" + content + b"\r\n"


def form(*files: tuple[str, bytes]) -> bytes:
    """Write a form with files, as browsers do."""
    return b"".join(part(f'name="files"; filename="{n}"', c) for n, c in files) + CLOSE


def reader(*pieces: bytes) -> Callable[[int], bytes]:
    """Give the pieces one by one, however much is asked for, and then nothing."""
    waiting = [piece for piece in pieces if piece]
    return lambda _octets: waiting.pop(0) if waiting else b""


def gather(*pieces: bytes) -> list[tuple[str, str | None, bytes]]:
    """Read a whole form."""
    return [
        (one.name, one.filename, b"".join(one.content))
        for one in read_parts(reader(*pieces), BOUNDARY)
    ]


def only_filename(disposition: str) -> str | None:
    """Read a form of one part, and give its file name."""
    [(_, filename, _)] = gather(part(disposition, b"x") + CLOSE)
    return filename


@given(st.lists(st.tuples(FILENAMES, CONTENT), max_size=3), st.data())
def test_split_anywhere_gives_the_same_files(
    files: list[tuple[str, bytes]], data: st.DataObject
) -> None:
    """However the network splits a form, the files come out exactly as they went in."""
    body = form(*files)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(body)), max_size=6)))
    pieces = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    sent = [
        ("files", name.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n"), content)
        for name, content in files
    ]
    assert gather(*pieces) == sent


def test_every_single_split_gives_the_same_files() -> None:
    """No split adds an octet, not even between the two dashes that close the form."""
    files = [("a", b"x\r"), ("b", b""), ("c", b"\r\n--" + BOUNDARY[:-2] + b"\r\n")]
    body = form(*files)
    expected = [("files", *file) for file in files]
    assert all(gather(body[:at], body[at:]) == expected for at in range(len(body)))
    assert gather(*(bytes([octet]) for octet in body)) == expected


@given(st.binary(max_size=300))
def test_any_octets_give_parts_or_a_refusal(noise: bytes) -> None:
    """Any body either gives parts or raises a Refusal; never anything else."""
    for body in (noise, b"--" + BOUNDARY + b"\r\n" + noise, part('name="x"', b"") + noise):
        with contextlib.suppress(Refusal):
            gather(body)


@given(CONTENT, st.data())
def test_body_cut_short_is_noticed(content: bytes, data: st.DataObject) -> None:
    """A body without its end is never taken for a whole one, though reading it gave no error."""
    body = form(("whole", content), ("cut", content))
    end = len(body) - len(b"--\r\n")
    at = data.draw(st.integers(0, end))
    with pytest.raises(FormCutShortError):
        gather(body[:at])


def test_part_before_the_cut_is_whole() -> None:
    """What came before a cut was given out complete."""
    body = form(("whole", b"kept"), ("cut", b"lost"))
    parts = read_parts(reader(body[: -len(CLOSE) - 4]), BOUNDARY)
    assert b"".join(next(parts).content) == b"kept"
    cut = next(parts).content
    with pytest.raises(FormCutShortError):
        list(cut)


def test_what_is_left_unread_of_a_part_is_skipped() -> None:
    """A file that was refused does not stop the one after it."""
    body = form(("refused", b"x" * 200_000), ("taken", b"y"))
    names = [
        one.filename
        for one in read_parts(
            reader(*(body[i : i + 999] for i in range(0, len(body), 999))), BOUNDARY
        )
    ]
    assert names == ["refused", "taken"]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ('"видео.mp4"', "видео.mp4"),
        ('"فيديو.mp4"', "فيديو.mp4"),
        ('"\U0001f469\u200d\U0001f4bb.mp4"', "\U0001f469\u200d\U0001f4bb.mp4"),
        ('"report\u202efdp.exe"', "report\u202efdp.exe"),
        ('"../../.bashrc"', "../../.bashrc"),
        ('"CON"', "CON"),
        ('"nul\x00here"', "nul\x00here"),
        ('"<img src=x onerror=alert(1)>"', "<img src=x onerror=alert(1)>"),
        ('"50%.txt"', "50%.txt"),
        ('"%41"', "%41"),
        ('"a;b=c; filename=d"', "a;b=c; filename=d"),
        ('"two\\\\backslashes"', "two\\\\backslashes"),
        ('"ends in a backslash\\"', "ends in a backslash\\"),
        ('"say %22hi%22%0D%0Athere"', 'say "hi"\r\nthere'),
        (r'"say \"hi\" \\ there"', r'say "hi" \ there'),
        ("bare.txt", "bare.txt"),
        ('""', ""),
    ],
)
def test_name_comes_out_exactly(written: str, name: str) -> None:
    """Browsers escape a quote, CR and LF and nothing else; old programs escape with backslashes."""
    assert only_filename(f'name="files"; filename={written}') == name


def test_long_name_is_kept_whole() -> None:
    """A name of 4,000 letters of three octets each is not cut."""
    assert only_filename(f'name="files"; filename="{"語" * 4000}"') == "語" * 4000


def test_name_in_the_extended_notation_is_understood() -> None:
    """RFC 7578 forbids filename*, and a few programs send it: better read than lost."""
    assert only_filename("name=files; filename*=UTF-8''%D0%B2.mp4") == "в.mp4"


def test_name_that_is_no_utf8_does_not_cost_the_file() -> None:
    """Octets that are no UTF-8 stay readable in the name."""
    body = form(("caf?", b"x")).replace(b"caf?", b"caf\xe9")
    assert gather(body) == [("files", "caf\\xe9", b"x")]


@pytest.mark.parametrize(
    "body",
    [
        b"--" + BOUNDARY + b"x\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n" + CLOSE,
        b"--" + BOUNDARY + b"\r\nContent-Type: text/plain\r\n\r\nx\r\n" + CLOSE,
        b"--" + BOUNDARY + b"\r\n\r\nx\r\n" + CLOSE,
        part("", b"x") + CLOSE,
        part('filename="x"', b"x") + CLOSE,
        part('name="a"; name="b"', b"x") + CLOSE,
        part('name="a"; filename="b" c', b"x") + CLOSE,
        part("name=a; filename*=latin1''x", b"x") + CLOSE,
        part("name=a; filename*=nothing", b"x") + CLOSE,
        part('name="a"', b"x").replace(b"form-data", b"attachment") + CLOSE,
        part('name="a"', b"x").replace(b"\r\n\r\n", b"\r\nContent-Disposition: x\r\n\r\n") + CLOSE,
        part(f'name="{"a" * MAX_HEAD_LENGTH}"', b"x") + CLOSE,
    ],
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    """A part that is not as a form's part must be is refused in words, not guessed at."""
    with pytest.raises(MalformedFormError):
        gather(body)


def test_endless_head_is_not_gathered() -> None:
    """A head without an end is refused after its limit, not held until memory is full."""
    asked = []

    def endless(octets: int) -> bytes:
        asked.append(octets)
        return b"x" * octets

    parts = read_parts(_after(b"--" + BOUNDARY + b"\r\n", endless), BOUNDARY)
    with pytest.raises(MalformedFormError):
        next(parts)
    assert sum(asked) <= MAX_HEAD_LENGTH + 2 * 65_536


def test_too_many_parts_are_refused_after_those_that_fit() -> None:
    """The parts up to the limit are given out, the one after it is not."""
    body = form(("a", b"1"), ("b", b"2"), ("c", b"3"))
    parts = read_parts(reader(body), BOUNDARY, max_parts=2)
    assert [next(parts).filename, next(parts).filename] == ["a", "b"]
    with pytest.raises(TooManyPartsError):
        next(parts)


def test_as_many_parts_as_allowed_are_taken() -> None:
    """The limit itself is allowed."""
    body = form(("a", b"1"), ("b", b"2"))
    assert len(list(read_parts(reader(body), BOUNDARY, max_parts=2))) == 2


def test_text_before_the_first_part_and_after_the_last_is_ignored() -> None:
    """RFC 2046, 5.1.1: preamble and epilogue are to be ignored."""
    assert gather(b"Hello\r\n" + form(("a", b"1")) + b"bye") == [("files", "a", b"1")]


def test_text_longer_than_its_limit_is_refused() -> None:
    """A text is held in memory, so it has a limit; the limit itself is allowed."""
    body = part('name="text"', b"x" * 10) + CLOSE
    [one] = (read_text(one, 10) for one in read_parts(reader(body), BOUNDARY))
    assert one == "x" * 10
    with pytest.raises(FieldTooLongError):
        [read_text(one, 9) for one in read_parts(reader(body), BOUNDARY)]


def test_text_that_is_no_utf8_is_refused() -> None:
    """A text with broken octets is refused, not mended."""
    body = part('name="text"', b"\xff") + CLOSE
    with pytest.raises(MalformedFormError):
        [read_text(one, 9) for one in read_parts(reader(body), BOUNDARY)]


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=abc", b"abc"),
        ('multipart/form-data; boundary="a b?c"', b"a b?c"),
        (
            "multipart/form-data; charset=utf-8; BOUNDARY=----WebKitFormBoundaryX",
            b"----WebKitFormBoundaryX",
        ),
        (f"multipart/form-data; boundary={'a' * 70}", b"a" * 70),
    ],
)
def test_boundary_is_read(content_type: str, boundary: bytes) -> None:
    """RFC 2046, 5.1.1: up to 70 characters, quoted or not."""
    assert parse_boundary(content_type) == boundary


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary=""',
        'multipart/form-data; boundary="ends in a space "',
        f"multipart/form-data; boundary={'a' * 71}",
        "multipart/form-data; boundary=häh",
    ],
)
def test_boundary_that_is_none_is_refused(content_type: str) -> None:
    """A boundary outside RFC 2046's grammar is refused."""
    with pytest.raises(MalformedFormError):
        parse_boundary(content_type)


def _after(start: bytes, then: Callable[[int], bytes]) -> Callable[[int], bytes]:
    waiting = [start]
    return lambda octets: waiting.pop() if waiting else then(octets)
