"""Idempotency-Key: a creation whose answer was lost is asked for again, and makes nothing twice."""

from contextlib import closing

import pytest

from submit.tus.answers import answer_creation
from submit.tus.grammar import UploadId
from submit.tus.headers import collect_headers
from submit.tus.limits import Limits
from submit.tus.refusals import CreationKeyReusedError, InvalidCreationKeyError
from submit.tus.requests import Creation, decide_creation, decide_same_creation
from tests.live import Live, wait_until
from tests.tus.houses import (
    NOT_FOR_MUTANTS,
    OCTETS,
    TUS,
    House,
    LiveHouse,
    MemoryHouse,
    appends,
    creates,
    looks,
    offset_of,
)

LIMITS = Limits(max_upload_length=10**12)
NAMED = ("Upload-Metadata", "filename YQ==")


@pytest.fixture
def key(request: pytest.FixtureRequest) -> tuple[str, str]:
    """A key that only this test has."""
    return ("Idempotency-Key", f"{abs(hash(request.node.nodeid)):032x}")


class CreationKeyStatements:
    """Asked of the judge alone and of a running server."""

    def test_the_same_creation_is_the_same_upload(self, house: House, key: tuple[str, str]) -> None:
        """Both answers are 201 with one Location and the true offset; the octets count once."""
        first = creates(house, 9, key, NAMED, OCTETS, body=b"hello")
        again = creates(house, 9, key, NAMED, OCTETS, body=b"hello")
        assert (first.status, again.status) == (201, 201)
        assert first.headers["location"] == again.headers["location"]
        assert first.headers["upload-offset"] == again.headers["upload-offset"] == "5"
        assert again.headers["connection"] == "close"
        assert offset_of(house, again.headers["location"]) == 5

    def test_asking_again_tells_how_far_the_upload_has_come(
        self, house: House, key: tuple[str, str]
    ) -> None:
        """Without octets of its own the second question is like HEAD, and can be gone on from."""
        path = creates(house, 4, key).headers["location"]
        appends(house, path, 0, b"ab")
        again = creates(house, 4, key)
        assert (again.status, again.headers["upload-offset"]) == (201, "2")
        assert "upload-expires" in again.headers
        assert appends(house, path, 2, b"cd").headers["upload-offset"] == "4"

    def test_a_complete_upload_is_found_again(self, house: House, key: tuple[str, str]) -> None:
        """The lost answer was the only one: the file must not be sent a second time."""
        first = creates(house, 5, key, NAMED, OCTETS, body=b"hello")
        again = creates(house, 5, key, NAMED, OCTETS, body=b"hello")
        assert (again.status, again.headers["upload-offset"]) == (201, "5")
        assert again.headers["location"] == first.headers["location"]
        assert "upload-expires" not in again.headers

    def test_an_empty_file_is_made_once(self, house: House, key: tuple[str, str]) -> None:
        """It is complete as soon as it is created."""
        first, again = creates(house, 0, key), creates(house, 0, key)
        assert first.headers["location"] == again.headers["location"]
        assert again.headers["upload-offset"] == "0"

    def test_without_a_key_each_creation_is_an_upload(self, house: House) -> None:
        """As ever: nothing else makes two creations one; and no offset is told that none asked."""
        first, again = creates(house, 4, NAMED), creates(house, 4, NAMED)
        assert first.headers["location"] != again.headers["location"]
        assert "upload-offset" not in first.headers

    def test_another_key_is_another_upload(self, house: House, key: tuple[str, str]) -> None:
        """Two equal files are two files."""
        first, other = creates(house, 4, key), creates(house, 4, (key[0], key[1][::-1] + "x"))
        assert first.headers["location"] != other.headers["location"]

    def test_another_file_under_the_same_key_is_refused(
        self, house: House, key: tuple[str, str]
    ) -> None:
        """Another length, other metadata: the upload that is there stays as it is."""
        path = creates(house, 4, key, NAMED, OCTETS, body=b"ab").headers["location"]
        other = ("Upload-Metadata", "filename Yg==")
        assert creates(house, 5, key, NAMED).status == 422
        assert creates(house, 4, key, other).status == 422
        assert creates(house, 4, key).status == 422
        assert offset_of(house, path) == 2
        assert looks(house, path).headers["upload-metadata"] == NAMED[1]

    def test_another_length_is_refused_after_completion(
        self, house: House, key: tuple[str, str]
    ) -> None:
        """Of a complete upload the length is still known; its metadata is not, and is not asked."""
        creates(house, 2, key, NAMED, OCTETS, body=b"ab")
        assert creates(house, 3, key, NAMED).status == 422
        assert creates(house, 2, key).status == 201

    def test_what_was_taken_back_can_be_created_again(
        self, house: House, key: tuple[str, str]
    ) -> None:
        """DELETE leaves nothing that a key could find."""
        path = creates(house, 4, key, OCTETS, body=b"ab").headers["location"]
        assert house.ask("DELETE", path, TUS).status == 204
        anew = creates(house, 4, key)
        assert (anew.status, anew.headers["upload-offset"]) == (201, "0")

    @pytest.mark.parametrize(
        "value", ["", "a" * 15, "a" * 65, "a" * 15 + " ", '"' + "a" * 20 + '"']
    )
    def test_a_key_that_is_none_is_refused(self, house: House, value: str) -> None:
        """Nothing is made: a client that meant it would believe that it may ask again."""
        reply = creates(house, 4, ("Idempotency-Key", value))
        assert (reply.status, "location" in reply.headers) == (400, False)


class TestJudge(CreationKeyStatements):
    @pytest.fixture
    def house(self) -> MemoryHouse:
        """An empty house."""
        return MemoryHouse(LIMITS)


@NOT_FOR_MUTANTS
class TestServer(CreationKeyStatements):
    @pytest.fixture
    def house(self, server: Live) -> LiveHouse:
        """The running server, asked as one source."""
        return LiveHouse(server.base, server.new_source())

    def test_a_key_is_one_sources_own(self, server: Live, key: tuple[str, str]) -> None:
        """The same key of another source finds nothing, and its upload has an id of its own."""
        houses = [LiveHouse(server.base, server.new_source()) for _ in range(2)]
        first, other = (creates(house, 4, key, OCTETS, body=b"ab") for house in houses)
        assert first.headers["location"] != other.headers["location"]
        assert looks(houses[1], first.headers["location"]).status == 404

    def test_the_newer_creation_stops_the_half_open_one(
        self, house: LiveHouse, key: tuple[str, str]
    ) -> None:
        """The first POST hangs in the middle of its body: asked again, the rest goes on there."""
        content = bytes(200_000)
        fields = (TUS, ("Upload-Length", "200000"), OCTETS, ("Content-Length", "200000"), key)
        with closing(house.opens("POST", "/uploads", fields)) as hanging:
            hanging.send(content[:150_000])
            wait_until(lambda: b'"offset":' in drop(house) and b'"offset":0' not in drop(house))
            again = creates(house, len(content), key)
            assert again.status == 201
            with hanging.getresponse() as answer:
                assert answer.status == 409
        offset = int(again.headers["upload-offset"])
        assert offset >= 65_536 - 3000  # a chunk, without the heads that it begins with
        done = appends(house, again.headers["location"], offset, content[offset:])
        assert done.headers["upload-offset"] == "200000"


def drop(house: LiveHouse) -> bytes:
    """Give the source's page as a program sees it."""
    return house.ask("GET", "/drop", ("Accept", "application/json")).body


@pytest.mark.parametrize("value", ["a" * 16, "Z9_-" * 16])
def test_key_is_read_as_it_came(value: str) -> None:
    """From 16 letters to 64."""
    headers = collect_headers([TUS, ("Upload-Length", "1"), ("Idempotency-Key", value)])
    assert decide_creation(headers, LIMITS).key == value


def test_two_keys_are_none() -> None:
    """Nobody can tell which of them counts."""
    twice = [TUS, ("Upload-Length", "1")] + [("Idempotency-Key", "a" * 20)] * 2
    with pytest.raises(InvalidCreationKeyError):
        decide_creation(collect_headers(twice), LIMITS)


@pytest.mark.parametrize(("length", "metadata"), [(5, "a YQ=="), (4, "a Yg=="), (4, ""), (5, None)])
def test_a_creation_that_differs_is_not_the_same(length: int, metadata: str | None) -> None:
    """Metadata that is no longer known cannot differ; the length always can."""
    creation = decide_creation(
        collect_headers([TUS, ("Upload-Length", "4"), ("Upload-Metadata", "a YQ==")]), LIMITS
    )
    decide_same_creation(4, "a YQ==", creation)
    decide_same_creation(4, None, creation)
    with pytest.raises(CreationKeyReusedError):
        decide_same_creation(length, metadata, creation)


def test_answer_says_whether_the_connection_ends() -> None:
    """Octets that nobody reads would be taken for the next request."""
    upload = UploadId("a" * 26)
    assert ("Connection", "close") in answer_creation(upload, 5, None, unread=True).headers
    assert "Connection" not in dict(answer_creation(upload, 5, None).headers)


def test_the_key_reaches_no_repr() -> None:
    """Like everything that a client wrote."""
    headers = collect_headers([TUS, ("Upload-Length", "1"), ("Idempotency-Key", "k" * 20)])
    creation: Creation = decide_creation(headers, LIMITS)
    assert "kkkk" not in repr(creation)
