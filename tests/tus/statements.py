"""Every sentence of tus 1.0.0 (core and the extensions we announce) that binds a server.

`id` is the name of the test that holds the sentence (`test_<id>`); `end_to_end` says that a running
server is asked as well. Sentences of what we do not announce are here where they bind us not to.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Statement:
    id: str
    section: str
    sentence: str
    end_to_end: bool = True


PURE = False

STATEMENTS = (
    # --- core, headers
    Statement(
        "upload_offset_is_a_non_negative_integer",
        "Upload-Offset",
        "The value MUST be a non-negative integer.",
    ),
    Statement(
        "upload_length_is_a_non_negative_integer",
        "Upload-Length",
        "The value MUST be a non-negative integer.",
    ),
    Statement(
        "tus_version_lists_versions_by_preference",
        "Tus-Version",
        "MUST be a comma-separated list of protocol versions supported by the Server. The list MUST"
        " be sorted by Server's preference.",
    ),
    Statement(
        "tus_resumable_is_in_every_response",
        "Tus-Resumable",
        "The Tus-Resumable header MUST be included in every request and response except for"
        " OPTIONS requests.",
    ),
    Statement(
        "tus_resumable_is_required_in_every_request",
        "Tus-Resumable",
        "The Tus-Resumable header MUST be included in every request and response except for"
        " OPTIONS requests.",
    ),
    Statement(
        "unsupported_version_is_412_with_tus_version",
        "Tus-Resumable",
        "It MUST respond with the 412 Precondition Failed status and MUST include the Tus-Version"
        " header into the response.",
    ),
    Statement(
        "unsupported_version_is_not_processed",
        "Tus-Resumable",
        "In addition, the Server MUST NOT process the request.",
    ),
    Statement(
        "tus_extension_lists_the_extensions",
        "Tus-Extension",
        "MUST be a comma-separated list of the extensions supported by the Server.",
    ),
    Statement(
        "tus_max_size_is_a_non_negative_integer",
        "Tus-Max-Size",
        "MUST be a non-negative integer [...]. The Server SHOULD set this header if there is a"
        " known hard limit.",
    ),
    Statement(
        "method_override_is_the_method",
        "X-HTTP-Method-Override",
        "MUST be a string which MUST be interpreted as the request's method by the Server, if the"
        " header is presented.",
    ),
    Statement(
        "actual_method_is_ignored_when_overridden",
        "X-HTTP-Method-Override",
        "The actual method of the request MUST be ignored.",
    ),
    # --- core, HEAD
    Statement(
        "head_always_has_upload_offset",
        "HEAD",
        "The Server MUST always include the Upload-Offset header in the response for a HEAD"
        " request, even if the offset is 0, or the upload is already considered completed.",
    ),
    Statement(
        "head_has_upload_length",
        "HEAD",
        "If the size of the upload is known, the Server MUST include the Upload-Length header in"
        " the response.",
    ),
    Statement(
        "head_of_nothing_is_404_without_offset",
        "HEAD",
        "If the resource is not found, the Server SHOULD return either the 404 Not Found, 410 Gone"
        " or 403 Forbidden status without the Upload-Offset header.",
    ),
    Statement(
        "head_answers_200",
        "HEAD",
        "The Server SHOULD acknowledge successful HEAD requests with a 200 OK or 204 No Content"
        " status.",
    ),
    Statement(
        "head_is_never_cached",
        "HEAD",
        "The Server MUST prevent the client and/or proxies from caching the response by adding the"
        " Cache-Control: no-store header to the response.",
    ),
    # --- core, PATCH
    Statement(
        "patch_applies_octets_at_the_offset",
        "PATCH",
        "The Server SHOULD accept PATCH requests against any upload URL and apply the bytes"
        " contained in the message at the given offset.",
    ),
    Statement(
        "patch_of_another_content_type_is_415",
        "PATCH",
        "All PATCH requests MUST use Content-Type: application/offset+octet-stream, otherwise the"
        " server SHOULD return a 415 Unsupported Media Type status.",
    ),
    Statement(
        "patch_at_another_offset_is_409_and_changes_nothing",
        "PATCH",
        "If the offsets do not match, the Server MUST respond with the 409 Conflict status without"
        " modifying the upload resource.",
    ),
    Statement(
        "patch_may_come_in_small_requests",
        "PATCH",
        "The Client SHOULD send all the remaining bytes of an upload in a single PATCH request, but"
        " MAY also use multiple small requests successively.",
    ),
    Statement(
        "patch_answers_204_with_the_new_offset",
        "PATCH",
        "The Server MUST acknowledge successful PATCH requests with the 204 No Content status. It"
        " MUST include the Upload-Offset header containing the new offset.",
    ),
    Statement(
        "new_offset_is_the_old_one_and_what_was_received",
        "PATCH",
        "The new offset MUST be the sum of the offset before the PATCH request and the number of"
        " bytes received.",
    ),
    Statement(
        "patch_of_nothing_is_404",
        "PATCH",
        "If the server receives a PATCH request against a non-existent resource it SHOULD return a"
        " 404 Not Found status.",
    ),
    Statement(
        "as_much_as_possible_is_stored",
        "PATCH",
        "The Server SHOULD always attempt to store as much of the received data as possible.",
    ),
    # --- core, OPTIONS
    Statement(
        "options_answers_204_with_tus_version",
        "OPTIONS",
        "A successful response indicated by the 204 No Content or 200 OK status MUST contain the"
        " Tus-Version header.",
    ),
    Statement(
        "options_ignores_tus_resumable",
        "OPTIONS",
        "The Client SHOULD NOT include the Tus-Resumable header in the request and the Server MUST"
        " ignore the header.",
    ),
    # --- creation
    Statement(
        "creation_is_announced",
        "Creation",
        "If the Server supports this extension, it MUST add creation to the Tus-Extension header.",
    ),
    Statement(
        "new_upload_has_offset_0",
        "Creation",
        "The new resource has an implicit offset of 0.",
    ),
    Statement(
        "metadata_is_a_list_of_pairs",
        "Upload-Metadata",
        "MUST consist of one or more comma-separated key-value pairs. The key and value MUST be"
        " separated by a space.",
    ),
    Statement(
        "metadata_key_is_not_empty_and_has_no_space",
        "Upload-Metadata",
        "The key MUST NOT contain spaces and commas and MUST NOT be empty. The key SHOULD be ASCII"
        " encoded.",
    ),
    Statement(
        "metadata_value_is_base64",
        "Upload-Metadata",
        "The value MUST be Base64 encoded.",
    ),
    Statement(
        "metadata_keys_are_unique",
        "Upload-Metadata",
        "All keys MUST be unique.",
    ),
    Statement(
        "metadata_value_may_be_empty",
        "Upload-Metadata",
        "The value MAY be empty. In these cases, the space, which would normally separate the key"
        " and the value, MAY be left out.",
    ),
    Statement(
        "metadata_smuggles_no_header",
        "Upload-Metadata",
        "Servers SHOULD carefully validate metadata values or sanitize them before using them as"
        " header values to avoid header smuggling.",
    ),
    Statement(
        "creation_needs_a_length",
        "Creation, POST",
        "The request MUST include one of the following headers: a) Upload-Length [...]",
    ),
    Statement(
        "deferred_length_is_refused_with_400",
        "Creation, POST",
        "If the Upload-Defer-Length header contains any other value than 1 the server should return"
        " a 400 Bad Request status. [...] If the Server supports deferring length, it MUST add"
        " creation-defer-length to the Tus-Extension header.",
    ),
    Statement(
        "length_never_changes",
        "Creation, POST",
        "Once set the length MUST NOT be changed.",
    ),
    Statement(
        "empty_file_is_complete_at_creation",
        "Creation, POST",
        "The Upload-Length header MAY be set to 0 [...]. Such an upload is immediately complete"
        " after its creation without transferring data using PATCH requests.",
    ),
    Statement(
        "head_gives_metadata_back",
        "Creation, POST",
        "If an upload contains additional metadata, responses to HEAD requests MUST include the"
        " Upload-Metadata header and its value as specified by the Client during the creation.",
    ),
    Statement(
        "length_above_the_maximum_is_413",
        "Creation, POST",
        "If the length of the upload exceeds the maximum, which MAY be specified using the"
        " Tus-Max-Size header, the Server MUST respond with the 413 Request Entity Too Large"
        " status.",
    ),
    Statement(
        "creation_answers_201_with_location",
        "Creation, POST",
        "The Server MUST acknowledge a successful upload creation with the 201 Created status. The"
        " Server MUST set the Location header to the URL of the created resource. This URL MAY be"
        " absolute or relative.",
    ),
    # --- creation with upload
    Statement(
        "creation_with_upload_is_announced",
        "Creation With Upload",
        "If the Server supports this extension, it MUST advertise this by including"
        " creation-with-upload in the Tus-Extension header. [...] If the Server does not offer the"
        " Creation extension, it MUST NOT offer the Creation With Upload extension either.",
    ),
    Statement(
        "creation_takes_the_whole_or_a_part",
        "Creation With Upload",
        "The Client MAY include either the entirety or a chunk of the upload data in the body of"
        " the POST request.",
    ),
    Statement(
        "creation_with_upload_needs_the_content_type",
        "Creation With Upload",
        "The Client MUST include the Content-Type: application/offset+octet-stream header.",
    ),
    Statement(
        "creation_with_upload_answers_upload_offset",
        "Creation With Upload",
        "The Server [...] MUST include the Upload-Offset header in the response and MUST set its"
        " value to the offset of the upload after applying the accepted bytes.",
    ),
    Statement(
        "creation_may_expect_100_continue",
        "Creation With Upload",
        "The Client SHOULD include the Expect: 100-continue header in the request to receive early"
        " feedback from the Server.",
    ),
    # --- expiration
    Statement(
        "expiration_is_announced",
        "Expiration",
        "In order to indicate this behavior to the Client, the Server MUST add expiration to the"
        " Tus-Extension header.",
    ),
    Statement(
        "patch_tells_the_expiry",
        "Upload-Expires",
        "This header MUST be included in every PATCH response if the upload is going to expire.",
    ),
    Statement(
        "creation_tells_the_expiry",
        "Upload-Expires",
        "If the expiration is known at the creation, the Upload-Expires header MUST be included in"
        " the response to the initial POST request.",
    ),
    Statement(
        "expired_upload_is_410",
        "Upload-Expires",
        "The Server SHOULD respond with the 404 Not Found or 410 Gone status. The latter one SHOULD"
        " be used if the Server is keeping track of expired uploads.",
        PURE,
    ),
    Statement(
        "expiry_is_an_http_date",
        "Upload-Expires",
        "The value of the Upload-Expires header MUST be in RFC 9110 datetime format.",
    ),
    # --- checksum
    Statement(
        "checksum_is_announced",
        "Checksum",
        "If supported, the Server MUST add checksum to the Tus-Extension header.",
    ),
    Statement(
        "matching_checksum_is_204",
        "Checksum",
        "The Server MUST verify the uploaded chunk against the provided checksum using the"
        " specified algorithm. [...] 204 No Content if the checksums match.",
    ),
    Statement(
        "unknown_algorithm_is_400",
        "Checksum",
        "400 Bad Request if the checksum algorithm is not supported by the server.",
    ),
    Statement(
        "wrong_checksum_is_460",
        "Checksum",
        "460 Checksum Mismatch if the checksums mismatch.",
    ),
    Statement(
        "refused_checksum_discards_the_octets",
        "Checksum",
        "In the first two cases the uploaded chunk MUST be discarded, and the upload and its offset"
        " MUST NOT be updated.",
    ),
    Statement(
        "sha1_is_supported",
        "Checksum",
        "The Server MUST support at least the SHA1 checksum algorithm identified by sha1.",
    ),
    Statement(
        "algorithm_names_are_ascii_without_uppercase",
        "Checksum",
        "The names of the checksum algorithms MUST only consist of ASCII characters with the"
        " modification that uppercase characters are excluded.",
    ),
    Statement(
        "options_lists_the_algorithms",
        "Tus-Checksum-Algorithm",
        "The Tus-Checksum-Algorithm header MUST be included in the response to an OPTIONS request."
        " [It] MUST be a comma-separated list of the checksum algorithms supported by the server.",
    ),
    Statement(
        "checksum_is_a_name_a_space_and_base64",
        "Upload-Checksum",
        "The header MUST consist of the name of the used checksum algorithm and the Base64 encoded"
        " checksum separated by a space.",
    ),
    Statement(
        "what_is_not_offered_is_not_announced",
        "Checksum, Concatenation, Creation",
        "If the Server can handle trailers, this behavior MUST be announced by adding"
        " checksum-trailer to the Tus-Extension header.",
    ),
    # --- termination
    Statement(
        "termination_is_announced",
        "Termination",
        "If this extension is supported by the Server, it MUST be announced by adding termination"
        " to the Tus-Extension header.",
    ),
    Statement(
        "delete_answers_204",
        "Termination",
        "When receiving a DELETE request for an existing upload the Server [...] MUST respond with"
        " the 204 No Content status confirming that the upload was terminated.",
    ),
    Statement(
        "terminated_upload_is_404",
        "Termination",
        "For all future requests to this URL, the Server SHOULD respond with the 404 Not Found or"
        " 410 Gone status.",
    ),
)
