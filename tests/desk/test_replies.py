"""Staff hand in what gpg made; the source reads it; anything else is refused in words."""

import io
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from submit.intake.replies import LONGEST_MESSAGE
from tests.desk.conftest import House, Member
from tests.intake.conftest import Source

TEXT = "Thank you. Were you in the room yourself?"


@pytest.fixture
def source(house: House) -> Source:
    """Somebody who has written, and so sent a certificate."""
    made = house.new_source()
    made.writes("hello")
    return made


def encrypt(house: House, folder: Path, certificate: bytes, *options: str) -> bytes:
    """Encrypt as staff do, with stock gpg."""
    file = folder / "reply-to.asc"
    file.write_bytes(certificate)
    to = ("--trust-model", "always", "--recipient-file", str(file), *options, "--encrypt")
    done = house.scene.ngo.gpg(*to, given=TEXT.encode())
    assert done.returncode == 0, done.stderr.decode()
    return bytes(done.stdout)


def read(house: House, source: Source) -> list[str | None]:
    """Read what the staff wrote."""
    return [reply.text for reply in house.scene.intake.replies.show(source.session)]


@pytest.mark.parametrize("armor", [["--armor"], []])
def test_a_file_that_gpg_made_reaches_the_source(
    house: House, staff: Member, source: Source, tmp_path: Path, armor: list[str]
) -> None:
    """Armored or not, chosen as a file."""
    message = encrypt(house, tmp_path, house.scene.certificate(source), *armor)
    address = staff.address_of(source)
    assert choose(staff, address, message).headers["Location"] == address
    assert read(house, source) == [TEXT]
    assert "a reply of" in staff.page(address)


def test_a_pasted_reply_reaches_the_source(
    house: House, staff: Member, source: Source, tmp_path: Path
) -> None:
    """With the line ends that browsers make of it."""
    message = encrypt(house, tmp_path, house.scene.certificate(source), "--armor")
    pasted = message.decode().replace("\n", "\r\n")
    answer = staff.post(f"{staff.address_of(source)}/replies", message=pasted)
    assert answer.status_code == 303
    assert read(house, source) == [TEXT]


def test_a_program_hands_in_a_reply(
    house: House, staff: Member, source: Source, tmp_path: Path
) -> None:
    """As JSON, without a token; it is given the id, and the page names the day."""
    message = encrypt(house, tmp_path, house.scene.certificate(source), "--armor").decode()
    address = staff.address_of(source)
    answer = staff.client.post(
        f"{address}/replies", json={"message": message}, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 201
    assert answer.json is not None
    assert staff.asks(address)["replies"] == [{"id": answer.json["id"], "day": "2024-10-04"}]


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (b"", 400),
        (b" \n", 400),
        (b"a letter in clear", 400),
        (b"-----BEGIN PGP MESSAGE-----\n\naaaa\n-----END PGP MESSAGE-----\n", 400),
        (b"\x84" * LONGEST_MESSAGE, 400),
        (b"\x84" * (LONGEST_MESSAGE + 1), 413),
        (b"\x84" * (3 * LONGEST_MESSAGE), 413),
    ],
)
def test_anything_else_is_refused_in_words(
    house: House, staff: Member, source: Source, message: bytes, status: int
) -> None:
    """HL PR#376: what is not sealed to the source never reaches the disk."""
    address = staff.address_of(source)
    answer = choose(staff, address, message)
    assert answer.status_code == status
    assert "not kept" in answer.text or "nothing was kept" in answer.text
    assert read(house, source) == []


def test_a_reply_to_somebody_else_is_refused(
    house: House, staff: Member, source: Source, tmp_path: Path
) -> None:
    """Encrypted to the NGO's own key, the source could not read it."""
    own = house.scene.ngo.certificate.read_bytes()
    answer = choose(staff, staff.address_of(source), encrypt(house, tmp_path, own))
    assert answer.status_code == 400
    assert read(house, source) == []


def test_a_file_without_the_token_before_it_is_refused(staff: Member, source: Source) -> None:
    """Nothing is read that another site's form may have sent."""
    address = f"{staff.address_of(source)}/replies"
    for fields in (
        {"message": (io.BytesIO(b"x"), "m.gpg")},
        {"token": "f" * 64, "message": (io.BytesIO(b"x"), "m.gpg")},
    ):
        answer = staff.client.post(address, data=fields, content_type="multipart/form-data")
        assert answer.status_code == 403


def choose(staff: Member, address: str, message: bytes) -> TestResponse:
    """Choose a file in the form of a source's page, and send it."""
    boundary = "----formboundary7f3a"
    lines = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="token"\r\n\r\n'.encode(),
        staff.token(address).encode(),
        f'\r\n--{boundary}\r\nContent-Disposition: form-data; name="message"; '.encode(),
        b'filename="m.gpg"\r\nContent-Type: application/octet-stream\r\n\r\n',
        message,
        f"\r\n--{boundary}--\r\n".encode(),
    ]
    return staff.client.post(
        f"{address}/replies",
        data=b"".join(lines),
        headers={"Origin": "null"},
        content_type=f"multipart/form-data; boundary={boundary}",
    )
