"""The rows, one module a table. Small transactions; no file, no gpg, no AES in them."""

from submit.store.records.parts import PartRow, Parts, PartSetRow
from submit.store.records.replies import Replies, ReplyRow
from submit.store.records.sent import Sent
from submit.store.records.sessions import SessionRow, Sessions
from submit.store.records.sources import ReplyKeyRow, SourceRow, Sources
from submit.store.records.staff import Staff, StaffRow, StaffSessionRow, StaffSessions
from submit.store.records.uploads import Kind, State, UploadRow, Uploads
from submit.store.records.work import Work, WorkRow

__all__ = [
    "Kind",
    "PartRow",
    "PartSetRow",
    "Parts",
    "Replies",
    "ReplyKeyRow",
    "ReplyRow",
    "Sent",
    "SessionRow",
    "Sessions",
    "SourceRow",
    "Sources",
    "Staff",
    "StaffRow",
    "StaffSessionRow",
    "StaffSessions",
    "State",
    "UploadRow",
    "Uploads",
    "Work",
    "WorkRow",
]
