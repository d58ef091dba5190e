"""The base of every "no" that the service says to a client.

Rule 1: a refusal is a class; its status and its words are constants of that class.
Rule 2: the words say what happened, what was kept, and what to do next. They never
        hold anything that the client or the server's inside wrote.
Rule 3: any exception that is not a Refusal is a fault of ours and answers a bare 500.
"""


class Refusal(Exception):
    """Answer no. Every subclass is one row of the table in docs/protocol.md.

    `status` is an int and not an HTTPStatus, because tus has a status that HTTP has not (460).
    """

    status: int
    public: str


class StaffRefusal(Refusal):
    """A no that only staff ever read: its words are in English alone."""
