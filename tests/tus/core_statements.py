"""The sentences of the tus core, asked of a house. `statements.py` holds their exact words."""

import re

import pytest

from tests.tus.houses import (
    OCTETS,
    TUS,
    House,
    appends,
    creates,
    looks,
    new_upload,
    offset_of,
)

ABSENT = "/uploads/" + "z" * 26

NOT_INTEGERS = ("", "-1", "+1", "1.0", "1e3", "1_000", "0x10", "1,1", "1 1", "9" * 17, "abc", "²")


class CoreStatements:
    """Collected twice: by test_statements.py and by test_statements_end_to_end.py."""

    # --- headers

    @pytest.mark.parametrize("value", NOT_INTEGERS)
    def test_upload_offset_is_a_non_negative_integer(self, house: House, value: str) -> None:
        """Whatever else is in Upload-Offset is refused, and what had arrived stays."""
        path = new_upload(house, 4)
        reply = house.ask("PATCH", path, TUS, OCTETS, ("Upload-Offset", value), body=b"ab")
        assert reply.status == 400
        assert offset_of(house, path) == 0

    @pytest.mark.parametrize("value", NOT_INTEGERS)
    def test_upload_length_is_a_non_negative_integer(self, house: House, value: str) -> None:
        """Whatever else is in Upload-Length makes no upload."""
        reply = house.ask("POST", "/uploads", TUS, ("Upload-Length", value))
        assert reply.status == 400
        assert "location" not in reply.headers

    def test_tus_version_lists_versions_by_preference(self, house: House) -> None:
        """There is one version, so the list is in order."""
        assert house.ask("OPTIONS", "/uploads").headers["tus-version"].split(",") == ["1.0.0"]

    def test_tus_resumable_is_in_every_response(self, house: House) -> None:
        """Answers and refusals alike say that they speak tus 1.0.0."""
        path = new_upload(house, 4)
        replies = [
            creates(house, 4),
            looks(house, path),
            appends(house, path, 0, b"ab"),
            appends(house, path, 0, b"ab"),
            house.ask("PATCH", path, body=b"ab"),
            looks(house, ABSENT),
            house.ask("OPTIONS", "/uploads"),
            house.ask("DELETE", path, TUS),
            house.ask("DELETE", path, TUS),
        ]
        assert [reply.status for reply in replies] == [201, 200, 204, 409, 412, 404, 204, 204, 404]
        assert {reply.headers["tus-resumable"] for reply in replies} == {"1.0.0"}

    @pytest.mark.parametrize("method", ["HEAD", "PATCH", "DELETE"])
    def test_tus_resumable_is_required_in_every_request(self, house: House, method: str) -> None:
        """Without the header nothing is answered but 412."""
        path = new_upload(house, 4)
        assert house.ask(method, path, OCTETS, ("Upload-Offset", "0")).status == 412
        assert house.ask("POST", "/uploads", ("Upload-Length", "4")).status == 412

    @pytest.mark.parametrize("version", ["0.2.2", "1.0.1", "1.0", "2.0.0", "", "1.0.0,1.0.0"])
    def test_unsupported_version_is_412_with_tus_version(self, house: House, version: str) -> None:
        """A client of another version learns which one is spoken here."""
        reply = house.ask("HEAD", new_upload(house, 4), ("Tus-Resumable", version))
        assert reply.status == 412
        assert reply.headers["tus-version"] == "1.0.0"

    def test_unsupported_version_is_not_processed(self, house: House) -> None:
        """Neither octets nor a DELETE of another version change anything."""
        path = new_upload(house, 4)
        other = ("Tus-Resumable", "0.2.2")
        octets = (other, OCTETS, ("Upload-Offset", "0"))
        assert house.ask("PATCH", path, *octets, body=b"ab").status == 412
        assert house.ask("DELETE", path, other).status == 412
        assert offset_of(house, path) == 0

    def test_tus_extension_lists_the_extensions(self, house: House) -> None:
        """The list is exactly what the house can do."""
        announced = house.ask("OPTIONS", "/uploads").headers["tus-extension"].split(",")
        assert sorted(announced) == [
            "checksum",
            "creation",
            "creation-with-upload",
            "expiration",
            "termination",
        ]

    def test_tus_max_size_is_a_non_negative_integer(self, house: House) -> None:
        """The hard limit is known, so it is told."""
        size = house.ask("OPTIONS", "/uploads").headers["tus-max-size"]
        assert re.fullmatch("[0-9]+", size)

    def test_method_override_is_the_method(self, house: House) -> None:
        """A client that can only POST appends, looks and terminates all the same."""
        path = new_upload(house, 2)
        fields = (TUS, OCTETS, ("Upload-Offset", "0"), ("X-HTTP-Method-Override", "PATCH"))
        assert house.ask("POST", path, *fields, body=b"a").status == 204
        head = house.ask("POST", path, TUS, ("X-HTTP-Method-Override", "HEAD"))
        assert (head.status, head.headers["upload-offset"]) == (200, "1")
        assert house.ask("POST", path, TUS, ("X-HTTP-Method-Override", "DELETE")).status == 204
        assert looks(house, path).status == 404

    def test_actual_method_is_ignored_when_overridden(self, house: House) -> None:
        """A DELETE that says it is a HEAD removes nothing; an unknown method is refused."""
        path = new_upload(house, 2)
        reply = house.ask("DELETE", path, TUS, ("X-HTTP-Method-Override", "HEAD"))
        assert (reply.status, reply.headers["upload-offset"]) == (200, "0")
        reply = house.ask("DELETE", path, TUS, ("X-HTTP-Method-Override", "BREW"))
        assert reply.status == 405
        assert offset_of(house, path) == 0

    # --- HEAD

    def test_head_always_has_upload_offset(self, house: House) -> None:
        """The offset is told at 0, on the way and when the upload is complete."""
        path = new_upload(house, 4)
        assert looks(house, path).headers["upload-offset"] == "0"
        appends(house, path, 0, b"abc")
        assert looks(house, path).headers["upload-offset"] == "3"
        appends(house, path, 3, b"d")
        assert looks(house, path).headers["upload-offset"] == "4"

    def test_head_has_upload_length(self, house: House) -> None:
        """The length is told before and after the upload is complete."""
        path = new_upload(house, 4)
        assert looks(house, path).headers["upload-length"] == "4"
        appends(house, path, 0, b"abcd")
        assert looks(house, path).headers["upload-length"] == "4"

    @pytest.mark.parametrize(
        "path", [ABSENT, "/uploads/x", "/uploads/" + "A" * 26, "/uploads/" + "a" * 27]
    )
    def test_head_of_nothing_is_404_without_offset(self, house: House, path: str) -> None:
        """An unknown id and one that can be no id get the same answer."""
        reply = looks(house, path)
        assert reply.status == 404
        assert "upload-offset" not in reply.headers

    def test_head_answers_200(self, house: House) -> None:
        """A living upload answers HEAD with 200 and nothing else."""
        reply = looks(house, new_upload(house, 4))
        assert (reply.status, reply.body) == (200, b"")

    def test_head_is_never_cached(self, house: House) -> None:
        """Found or not found, nobody on the way keeps the answer."""
        assert looks(house, new_upload(house, 4)).headers["cache-control"] == "no-store"
        assert looks(house, ABSENT).headers["cache-control"] == "no-store"

    # --- PATCH

    def test_patch_applies_octets_at_the_offset(self, house: House) -> None:
        """Octets sent at the offset that HEAD told move it."""
        path = new_upload(house, 6)
        appends(house, path, 0, b"abc")
        assert appends(house, path, offset_of(house, path), b"de").status == 204
        assert offset_of(house, path) == 5

    @pytest.mark.parametrize(
        "value",
        [
            None,
            "",
            "application/octet-stream",
            "application/offset+octet-stream,application/offset+octet-stream",
        ],
    )
    def test_patch_of_another_content_type_is_415(self, house: House, value: str | None) -> None:
        """Octets that are not marked as part of an upload are not taken."""
        path = new_upload(house, 4)
        fields = [TUS, ("Upload-Offset", "0")]
        if value is not None:
            fields.append(("Content-Type", value))
        assert house.ask("PATCH", path, *fields, body=b"ab").status == 415
        assert offset_of(house, path) == 0

    @pytest.mark.parametrize("offset", [0, 2, 4, 9_999_999_999_999_999])
    def test_patch_at_another_offset_is_409_and_changes_nothing(
        self, house: House, offset: int
    ) -> None:
        """Behind, before or far beyond: the upload stays as it was and can go on."""
        path = new_upload(house, 6)
        appends(house, path, 0, b"abc")
        assert appends(house, path, offset, b"de").status == 409
        assert offset_of(house, path) == 3
        assert appends(house, path, 3, b"def").status == 204

    def test_patch_may_come_in_small_requests(self, house: House) -> None:
        """An upload sent octet by octet arrives."""
        path = new_upload(house, 5)
        replies = [appends(house, path, offset, b"a") for offset in range(5)]
        assert [reply.headers["upload-offset"] for reply in replies] == ["1", "2", "3", "4", "5"]

    def test_patch_answers_204_with_the_new_offset(self, house: House) -> None:
        """The acknowledgement has the offset and no body."""
        reply = appends(house, new_upload(house, 4), 0, b"abc")
        assert (reply.status, reply.headers["upload-offset"], reply.body) == (204, "3", b"")

    def test_new_offset_is_the_old_one_and_what_was_received(self, house: House) -> None:
        """An empty append moves nothing, also when the upload is complete."""
        path = new_upload(house, 5)
        appends(house, path, 0, b"ab")
        assert appends(house, path, 2, b"").headers["upload-offset"] == "2"
        assert appends(house, path, 2, b"cde").headers["upload-offset"] == "5"
        again = appends(house, path, 5, b"")
        assert (again.status, again.headers["upload-offset"]) == (204, "5")

    def test_patch_of_nothing_is_404(self, house: House) -> None:
        """Octets for an unknown upload are refused."""
        assert appends(house, ABSENT, 0, b"ab").status == 404

    def test_as_much_as_possible_is_stored(self, house: House) -> None:
        """What came before the connection broke is kept, and the upload goes on from there."""
        path = new_upload(house, 10)
        house.breaks_off(path, 0, promised=10, body=b"abcdef")
        assert offset_of(house, path) == 6
        assert appends(house, path, 6, b"ghij").headers["upload-offset"] == "10"

    # --- OPTIONS

    def test_options_answers_204_with_tus_version(self, house: House) -> None:
        """What is spoken here is told without being asked in tus."""
        reply = house.ask("OPTIONS", "/uploads")
        assert (reply.status, reply.headers["tus-version"]) == (204, "1.0.0")

    @pytest.mark.parametrize("version", ["1.0.0", "0.2.2", "rubbish"])
    def test_options_ignores_tus_resumable(self, house: House, version: str) -> None:
        """OPTIONS is for clients that do not know yet what is spoken here."""
        assert house.ask("OPTIONS", "/uploads", ("Tus-Resumable", version)).status == 204
