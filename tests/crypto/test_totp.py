"""One-time codes by RFC 6238, and the passphrase that wraps what makes them."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.codename import CHEAPEST
from crypto.passphrase import make_passphrase, make_salt, stretch_passphrase
from crypto.totp import (
    STEP,
    TotpSecret,
    find_step,
    in_base32,
    make_totp_secret,
    one_time_code,
    provisioning_uri,
    read_base32,
)

# RFC 6238, appendix B, the rows of SHA1; of its eight digits the last six.
SECRET = TotpSecret(b"12345678901234567890")
VECTORS = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    """A phone shows these."""
    assert one_time_code(SECRET, seconds // STEP) == code[-6:]


@pytest.mark.parametrize(("off", "is_taken"), [(-2, 0), (-1, 1), (0, 1), (1, 1), (2, 0)])
def test_a_code_near_now_is_found(off: int, is_taken: int) -> None:
    """One step before and after; the step itself is given, so that it can be used up."""
    code = one_time_code(SECRET, 1000 + off)
    assert find_step(SECRET, code, 1000, 0) == (1000 + off if is_taken else None)
    assert find_step(SECRET, code, 1000, 1000 + off) is None


@given(st.text(max_size=12))
def test_anything_else_is_no_code(typed: str) -> None:
    """Other digits of Unicode, too few, too many, nothing: never taken, never a fault."""
    if "".join(typed.split()) not in {one_time_code(SECRET, step) for step in (999, 1000, 1001)}:
        assert find_step(SECRET, typed, 1000, 0) is None


def test_a_secret_is_typed_as_it_is_printed() -> None:
    """In groups, in small letters, without padding."""
    secret = make_totp_secret()
    letters = in_base32(secret)
    assert len(letters) == 32
    assert read_base32(" ".join(letters.lower()[at : at + 4] for at in range(0, 32, 4))) == secret
    with pytest.raises(ValueError, match="base32"):
        read_base32("1")


def test_the_address_is_what_programs_read() -> None:
    """The form that authenticator programs agree on."""
    assert provisioning_uri(SECRET, "Nightferry", "ana") == (
        "otpauth://totp/Nightferry:ana?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Nightferry"
    )


def test_a_passphrase_proves_itself_however_it_is_typed() -> None:
    """Capitals, commas and spaces do not matter; every word and their order does."""
    made, salt = make_passphrase(), make_salt()
    assert len(made.split()) == 6
    first = stretch_passphrase(made, salt, CHEAPEST)
    again = stretch_passphrase(f"  {made.upper().replace(' ', ', ')} ", salt, CHEAPEST)
    assert again.is_proved_by(first.verifier)
    assert again.key == first.key
    for other in ("", " ".join(made.split()[::-1]), made[:-1], "x" * 5000):
        assert not stretch_passphrase(other, salt, CHEAPEST).is_proved_by(first.verifier)
    assert not stretch_passphrase(made, make_salt(), CHEAPEST).is_proved_by(first.verifier)


def test_what_is_kept_is_not_what_unwraps() -> None:
    """Verifier and key are apart, and neither is printed or pickled."""
    made = stretch_passphrase("six words", make_salt(), CHEAPEST)
    assert bytes(made.verifier) != bytes(made.key)
    assert made.key.hex() not in repr(made)
    assert "b'" not in repr(made)
    with pytest.raises(TypeError):
        pickle.dumps(made)
