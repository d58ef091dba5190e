"""The sentences of the announced extensions, asked of a house."""

import base64
import hashlib
import re
from email.utils import parsedate_to_datetime

import pytest

from tests.tus.core_statements import ABSENT
from tests.tus.houses import (
    OCTETS,
    TUS,
    House,
    Reply,
    appends,
    creates,
    looks,
    new_upload,
    offset_of,
)

METADATA = (
    "filename 0LLQuNC00LXQvi5tcDQ=,relativePath Li4vLi4veA==,mine,lastModified MTcwMDAwMDAwMDAwMA=="
)


def extensions(house: House) -> list[str]:
    """List the announced extensions."""
    return house.ask("OPTIONS", "/uploads").headers["tus-extension"].split(",")


def with_metadata(house: House, value: str) -> Reply:
    """Ask for a new upload with this Upload-Metadata."""
    return creates(house, 4, ("Upload-Metadata", value))


def checksum(body: bytes, algorithm: str = "sha1") -> tuple[str, str]:
    """Make the Upload-Checksum of a body."""
    digest = hashlib.new(algorithm, body, usedforsecurity=False).digest()
    return "Upload-Checksum", f"{algorithm} {base64.b64encode(digest).decode()}"


class CreationStatements:
    def test_creation_is_announced(self, house: House) -> None:
        """OPTIONS names the extension."""
        assert "creation" in extensions(house)

    def test_new_upload_has_offset_0(self, house: House) -> None:
        """An upload begins with nothing."""
        assert offset_of(house, new_upload(house, 4)) == 0

    @pytest.mark.parametrize("value", ["a YQ==,b Yg==", "a YQ==", "a", "a,b,c"])
    def test_metadata_is_a_list_of_pairs(self, house: House, value: str) -> None:
        """Pairs in any number are taken and given back."""
        reply = with_metadata(house, value)
        assert looks(house, reply.headers["location"]).headers["upload-metadata"] == value

    @pytest.mark.parametrize(
        "value", [",", "a YQ==,", ",a YQ==", "a YQ==,,b Yg==", "a YQ==, b Yg==", "\xe4 YQ=="]
    )
    def test_metadata_key_is_not_empty_and_has_no_space(self, house: House, value: str) -> None:
        """A list with a hole, a space or a letter beyond ASCII in a key makes no upload."""
        assert with_metadata(house, value).status == 400

    @pytest.mark.parametrize(
        "value", ["a YQ", "a YQ=", "a YR==", "a Y Q==", "a  YQ==", "a YQ==YQ==", "a _-__", "a ="]
    )
    def test_metadata_value_is_base64(self, house: House, value: str) -> None:
        """Base64 that is not what an encoder writes makes no upload."""
        assert with_metadata(house, value).status == 400

    @pytest.mark.parametrize("value", ["a YQ==,a Yg==", "a,a", "a,b,a YQ=="])
    def test_metadata_keys_are_unique(self, house: House, value: str) -> None:
        """A key that comes twice makes no upload."""
        assert with_metadata(house, value).status == 400

    @pytest.mark.parametrize("value", ["", "filename", "filename ,mine", "mine,filename"])
    def test_metadata_value_may_be_empty(self, house: House, value: str) -> None:
        """An empty value, with its space or without, and an empty header are fine."""
        assert with_metadata(house, value).status == 201

    def test_metadata_smuggles_no_header(self, house: House) -> None:
        """A line end inside a name comes back encoded, as it came, and makes no header."""
        value = "filename YQ0KU2V0LUNvb2tpZTogeD15"
        reply = looks(house, with_metadata(house, value).headers["location"])
        assert reply.headers["upload-metadata"] == value
        assert "x=y" not in reply.headers.get("set-cookie", "")

    def test_creation_needs_a_length(self, house: House) -> None:
        """Without Upload-Length no upload is made."""
        reply = house.ask("POST", "/uploads", TUS)
        assert reply.status == 400
        assert "location" not in reply.headers

    @pytest.mark.parametrize("value", ["1", "0", "2", "yes"])
    def test_deferred_length_is_refused_with_400(self, house: House, value: str) -> None:
        """The extension is not offered, so every value is refused, also beside a length."""
        fields = (TUS, ("Upload-Defer-Length", value))
        assert house.ask("POST", "/uploads", *fields).status == 400
        assert creates(house, 4, *fields[1:]).status == 400
        assert "creation-defer-length" not in extensions(house)

    def test_length_never_changes(self, house: House) -> None:
        """A PATCH may repeat the length; another one is refused and changes nothing."""
        path = new_upload(house, 4)
        assert appends(house, path, 0, b"a", ("Upload-Length", "4")).status == 204
        assert appends(house, path, 1, b"b", ("Upload-Length", "5")).status == 400
        assert appends(house, path, 1, b"b", ("Upload-Length", "x")).status == 400
        reply = looks(house, path)
        assert (reply.headers["upload-length"], reply.headers["upload-offset"]) == ("4", "1")

    def test_empty_file_is_complete_at_creation(self, house: House) -> None:
        """A file of no octets needs no PATCH, does not expire, and cannot be taken back."""
        reply = creates(house, 0)
        assert reply.status == 201
        assert "upload-expires" not in reply.headers
        head = looks(house, reply.headers["location"])
        assert (head.headers["upload-length"], head.headers["upload-offset"]) == ("0", "0")
        assert house.ask("DELETE", reply.headers["location"], TUS).status == 403

    def test_head_gives_metadata_back(self, house: House) -> None:
        """Its owner gets exactly the header of the creation, known keys and unknown ones."""
        path = with_metadata(house, METADATA).headers["location"]
        assert looks(house, path).headers["upload-metadata"] == METADATA
        assert "upload-metadata" not in looks(house, new_upload(house, 4)).headers

    def test_length_above_the_maximum_is_413(self, house: House) -> None:
        """The announced maximum itself is taken, if the disk has room; one octet more is refused."""
        maximum = int(house.ask("OPTIONS", "/uploads").headers["tus-max-size"])
        assert creates(house, maximum + 1).status == 413
        assert creates(house, 9_999_999_999_999_999).status == 413
        assert creates(house, maximum).status in (201, 507)

    def test_creation_answers_201_with_location(self, house: House) -> None:
        """The URL is relative, and its id is 128 random bits in base32."""
        reply = creates(house, 4)
        assert reply.status == 201
        assert re.fullmatch("/uploads/[a-z2-7]{26}", reply.headers["location"])


class CreationWithUploadStatements:
    def test_creation_with_upload_is_announced(self, house: House) -> None:
        """OPTIONS names it, and the extension that it needs."""
        assert {"creation", "creation-with-upload"} <= set(extensions(house))

    @pytest.mark.parametrize("body", [b"a", b"abc", b"abcd"])
    def test_creation_takes_the_whole_or_a_part(self, house: House, body: bytes) -> None:
        """First octets in the POST count, and the rest follows with PATCH."""
        path = creates(house, 4, OCTETS, body=body).headers["location"]
        assert offset_of(house, path) == len(body)
        assert appends(house, path, len(body), b"abcd"[len(body) :]).status == 204
        assert offset_of(house, path) == 4

    def test_creation_with_upload_needs_the_content_type(self, house: House) -> None:
        """Octets of another type make no upload: nobody shall believe that they arrived."""
        assert creates(house, 4, body=b"ab").status == 415
        assert creates(house, 4, ("Content-Type", "text/plain"), body=b"ab").status == 415
        assert creates(house, 4, ("Content-Type", "text/plain")).status == 201

    def test_creation_with_upload_answers_upload_offset(self, house: House) -> None:
        """The POST itself tells how far the upload is."""
        assert creates(house, 4, OCTETS, body=b"abc").headers["upload-offset"] == "3"

    def test_creation_may_expect_100_continue(self, house: House) -> None:
        """A client that asks before it sends is served."""
        reply = creates(house, 4, OCTETS, ("Expect", "100-continue"), body=b"abcd")
        assert (reply.status, reply.headers["upload-offset"]) == (201, "4")


class ExpirationStatements:
    def test_expiration_is_announced(self, house: House) -> None:
        """OPTIONS names the extension."""
        assert "expiration" in extensions(house)

    def test_patch_tells_the_expiry(self, house: House) -> None:
        """As long as something is missing every acknowledgement says until when it can follow."""
        path = new_upload(house, 4)
        assert "upload-expires" in appends(house, path, 0, b"ab").headers
        assert "upload-expires" not in appends(house, path, 2, b"cd").headers

    def test_creation_tells_the_expiry(self, house: House) -> None:
        """The POST says until when the upload can be continued."""
        assert "upload-expires" in creates(house, 4).headers

    def test_expiry_is_an_http_date(self, house: House) -> None:
        """It is an IMF-fixdate, and as coarse as a day."""
        value = creates(house, 4).headers["upload-expires"]
        assert re.fullmatch(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} 00:00:00 GMT", value)
        assert parsedate_to_datetime(value).strftime("%a, %d %b %Y %H:%M:%S GMT") == value


class ChecksumStatements:
    def test_checksum_is_announced(self, house: House) -> None:
        """OPTIONS names the extension."""
        assert "checksum" in extensions(house)

    @pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
    def test_matching_checksum_is_204(self, house: House, algorithm: str) -> None:
        """Octets that hash to what was said are taken, in PATCH and in POST."""
        path = new_upload(house, 4)
        assert appends(house, path, 0, b"abcd", checksum(b"abcd", algorithm)).status == 204
        reply = creates(house, 4, OCTETS, checksum(b"ab", algorithm), body=b"ab")
        assert (reply.status, reply.headers["upload-offset"]) == (201, "2")

    @pytest.mark.parametrize("name", ["md5", "crc32", "SHA1", "sha-1", "sha512", ""])
    def test_unknown_algorithm_is_400(self, house: House, name: str) -> None:
        """An algorithm that was not announced is refused."""
        field = ("Upload-Checksum", f"{name} Kq5sNclPz7QV2+lfQIuc6R7oRu0=")
        assert appends(house, new_upload(house, 4), 0, b"abcd", field).status == 400

    @pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
    def test_wrong_checksum_is_460(self, house: House, algorithm: str) -> None:
        """Octets that changed on their way are refused, and the same piece can be sent again."""
        path = new_upload(house, 4)
        assert appends(house, path, 0, b"abcx", checksum(b"abcd", algorithm)).status == 460
        assert appends(house, path, 0, b"abcd", checksum(b"abcd", algorithm)).status == 204

    @pytest.mark.parametrize("size", [1, 65_536, 65_537, 200_000])
    def test_refused_checksum_discards_the_octets(self, house: House, size: int) -> None:
        """Neither the offset nor the life of the upload moves, whatever the length of the body."""
        path = new_upload(house, 200_001)
        appends(house, path, 0, b"a")
        body = b"b" * size
        assert appends(house, path, 1, body, checksum(b"other")).status == 460
        assert appends(house, path, 1, body, ("Upload-Checksum", "md5 YQ==")).status == 400
        assert offset_of(house, path) == 1

    def test_sha1_is_supported(self, house: House) -> None:
        """The example of the protocol's own text is verified."""
        path = new_upload(house, 11)
        field = ("Upload-Checksum", "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=")
        assert appends(house, path, 0, b"hello world", field).status == 204

    def test_algorithm_names_are_ascii_without_uppercase(self, house: House) -> None:
        """Every announced name keeps to the rule."""
        names = house.ask("OPTIONS", "/uploads").headers["tus-checksum-algorithm"].split(",")
        assert all(name.isascii() and name == name.lower() for name in names)

    def test_options_lists_the_algorithms(self, house: House) -> None:
        """The list is what the other tests here use."""
        reply = house.ask("OPTIONS", "/uploads")
        assert reply.headers["tus-checksum-algorithm"] == "sha1,sha256"

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "sha1",
            "sha1 ",
            "Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
            "sha1  Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
            "sha1:Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
            "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0",
            "sha1 2aae6c35c94fcfb415dbe95f408b9ce91ee846ed",
            "sha1 YQ==",
            "sha256 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
            "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=,sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
        ],
    )
    def test_checksum_is_a_name_a_space_and_base64(self, house: House, value: str) -> None:
        """Whatever else is in the header is refused, and nothing of the body is kept."""
        path = new_upload(house, 11)
        reply = appends(house, path, 0, b"hello world", ("Upload-Checksum", value))
        assert reply.status == 400
        assert offset_of(house, path) == 0

    def test_what_is_not_offered_is_not_announced(self, house: House) -> None:
        """Trailers, concatenation and deferred lengths are not offered; the second is refused."""
        offered = set(extensions(house))
        assert not offered & {"checksum-trailer", "concatenation", "creation-defer-length"}
        assert creates(house, 4, ("Upload-Concat", "partial")).status == 400
        final = ("Upload-Concat", f"final;{ABSENT} {ABSENT}")
        assert house.ask("POST", "/uploads", TUS, final).status == 400


class TerminationStatements:
    def test_termination_is_announced(self, house: House) -> None:
        """OPTIONS names the extension."""
        assert "termination" in extensions(house)

    def test_delete_answers_204(self, house: House) -> None:
        """Before and after the first octets an unfinished upload can be taken back."""
        assert house.ask("DELETE", new_upload(house, 4), TUS).status == 204
        path = new_upload(house, 4)
        appends(house, path, 0, b"ab")
        assert house.ask("DELETE", path, TUS).status == 204

    def test_terminated_upload_is_404(self, house: House) -> None:
        """What was taken back is as if it had never been."""
        path = new_upload(house, 4)
        house.ask("DELETE", path, TUS)
        assert looks(house, path).status == 404
        assert appends(house, path, 0, b"ab").status == 404
        assert house.ask("DELETE", path, TUS).status == 404
