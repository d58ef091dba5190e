"""Wrapping: what was wrapped comes back under the same key, purpose and context, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import AuthenticationError
from crypto.wrap import (
    PADDED_TO,
    PaddedWrapped,
    Wrapped,
    WrappingKey,
    unwrap,
    unwrap_padded,
    wrap,
    wrap_padded,
)

KEY = WrappingKey(bytes(range(32)))
PURPOSE, CONTEXT = b"session key", b"upload abc"

keys = st.binary(min_size=32, max_size=32).map(WrappingKey)
octets = st.binary(max_size=64)


@given(key=keys, purpose=octets, context=octets, secret=st.binary(max_size=2000))
def test_what_was_wrapped_comes_back(
    key: WrappingKey, purpose: bytes, context: bytes, secret: bytes
) -> None:
    """Any secret comes back octet for octet, padded or not."""
    assert unwrap(key, purpose, context, wrap(key, purpose, context, secret)) == secret
    padded = wrap_padded(key, purpose, context, secret)
    assert unwrap_padded(key, purpose, context, padded) == secret


@given(purposes=st.tuples(octets, octets), contexts=st.tuples(octets, octets))
def test_a_wrapped_thing_belongs_to_its_purpose_and_context(
    purposes: tuple[bytes, bytes], contexts: tuple[bytes, bytes]
) -> None:
    """Unless purpose and context are both the same, nothing is unwrapped."""
    wrapped = wrap(KEY, purposes[0], contexts[0], b"secret")
    if (purposes[0], contexts[0]) == (purposes[1], contexts[1]):
        assert unwrap(KEY, purposes[1], contexts[1], wrapped) == b"secret"
    else:
        with pytest.raises(AuthenticationError):
            unwrap(KEY, purposes[1], contexts[1], wrapped)


@pytest.mark.parametrize(
    ("purpose", "context"),
    [(b"session keyu", b"pload abc"), (b"", PURPOSE + CONTEXT), (CONTEXT, PURPOSE)],
)
def test_octets_moved_from_purpose_to_context_are_refused(purpose: bytes, context: bytes) -> None:
    """The border between purpose and context is part of what authenticates."""
    wrapped = wrap(KEY, PURPOSE, CONTEXT, b"secret")

    with pytest.raises(AuthenticationError):
        unwrap(KEY, purpose, context, wrapped)


@given(key=keys)
def test_another_key_unwraps_nothing(key: WrappingKey) -> None:
    """Only the key that wrapped also unwraps."""
    wrapped = wrap(WrappingKey(bytes(b ^ 1 for b in key)), PURPOSE, CONTEXT, b"secret")

    with pytest.raises(AuthenticationError):
        unwrap(key, PURPOSE, CONTEXT, wrapped)


def test_every_flipped_bit_is_refused() -> None:
    """No bit of nonce, secret or tag can be changed."""
    wrapped = wrap(KEY, PURPOSE, CONTEXT, bytes(32))

    for bit in range(len(wrapped) * 8):
        changed = bytearray(wrapped)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(AuthenticationError):
            unwrap(KEY, PURPOSE, CONTEXT, Wrapped(bytes(changed)))


def test_every_flipped_bit_of_a_padded_thing_is_refused() -> None:
    """No bit of a padded thing can be changed, the padding's least of all."""
    wrapped = wrap_padded(KEY, PURPOSE, CONTEXT, b"a name")

    for bit in range(len(wrapped) * 8):
        changed = bytearray(wrapped)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(AuthenticationError):
            unwrap_padded(KEY, PURPOSE, CONTEXT, PaddedWrapped(bytes(changed)))


def test_every_cut_is_refused() -> None:
    """A wrapped thing that lost octets at either end, or gained one, does not unwrap."""
    wrapped = wrap(KEY, PURPOSE, CONTEXT, bytes(5))

    for cut in range(len(wrapped)):
        for changed in (wrapped[:cut], wrapped[cut + 1 :]):
            with pytest.raises(AuthenticationError):
                unwrap(KEY, PURPOSE, CONTEXT, Wrapped(changed))
    with pytest.raises(AuthenticationError):
        unwrap(KEY, PURPOSE, CONTEXT, Wrapped(wrapped + b"\0"))


@given(st.binary(max_size=600))
def test_garbage_is_refused(garbage: bytes) -> None:
    """Any octets that we did not wrap are refused, never another error."""
    with pytest.raises(AuthenticationError):
        unwrap(KEY, PURPOSE, CONTEXT, Wrapped(garbage))
    with pytest.raises(AuthenticationError):
        unwrap_padded(KEY, PURPOSE, CONTEXT, PaddedWrapped(garbage))


def test_no_two_wrappings_are_alike() -> None:
    """The same secret wrapped again shows nothing of being the same: every nonce is new."""
    wrapped = [wrap(KEY, PURPOSE, CONTEXT, b"secret") for _ in range(1000)]

    assert len({each[:12] for each in wrapped}) == 1000
    assert len({each[12:] for each in wrapped}) == 1000


def test_the_secret_does_not_show() -> None:
    """A wrapped name holds no piece of the name."""
    wrapped: bytes = wrap_padded(KEY, PURPOSE, CONTEXT, b"prison.mp4")

    assert b"prison" not in wrapped


@pytest.mark.parametrize(
    ("length", "steps"), [(0, 1), (1, 1), (510, 1), (511, 1), (512, 2), (1023, 2), (1024, 3)]
)
def test_only_whole_steps_of_length_show(length: int, steps: int) -> None:
    """Names of 0 to 511 octets are all as long as each other when they are wrapped."""
    wrapped = wrap_padded(KEY, PURPOSE, CONTEXT, b"n" * length)

    assert len(wrapped) == 12 + steps * PADDED_TO + 16


@pytest.mark.parametrize(
    "inside",
    [
        b"",
        b"name",
        b"name\x80",
        bytes(512),
        b"\x80" + bytes(510),
        b"\x80" + bytes(512),
        b"\x80" + bytes(1023),
        b"name\x80" + bytes(506) + b"\x01",
        b"n" * 512,
    ],
    ids=range(9),
)
def test_only_canonical_padding_is_taken_off(inside: bytes) -> None:
    """What authenticates and is yet padded in another way was not padded by us."""
    wrapped = PaddedWrapped(wrap(KEY, PURPOSE, CONTEXT, inside))

    with pytest.raises(AuthenticationError):
        unwrap_padded(KEY, PURPOSE, CONTEXT, wrapped)


@given(st.binary(max_size=16), st.integers(0, 1030))
def test_padding_has_one_form(start: bytes, zeros: int) -> None:
    """Whatever unpads is what padding would have written."""
    inside = start + b"\x80" + bytes(zeros)
    try:
        secret = unwrap_padded(
            KEY, PURPOSE, CONTEXT, PaddedWrapped(wrap(KEY, PURPOSE, CONTEXT, inside))
        )
    except AuthenticationError:
        assert len(inside) % 512 or zeros >= 512
    else:
        assert secret == start
        assert len(inside) % 512 == 0


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_key_of_another_length_is_a_fault_of_ours(length: int) -> None:
    """A key that is not 32 octets long never wraps anything, not even as AES-128."""
    with pytest.raises(ValueError, match="internal error"):
        wrap(WrappingKey(bytes(length)), PURPOSE, CONTEXT, b"secret")


def test_the_form_stays_as_it_is() -> None:
    """Things wrapped by an earlier version still unwrap.

    The vector is written out by hand from RFC 5869 with the standard library's hmac, and
    `cryptography`'s AESGCM with nonce 0, in tests/crypto/keys/wrap_vector.py.
    """
    vector = Wrapped(bytes.fromhex(VECTOR))

    assert unwrap(KEY, PURPOSE, CONTEXT, vector) == b"secret"


VECTOR = "000000000000000000000000b543848d6cf8f2db1805f671d6d68b69ad81948a5a05"
