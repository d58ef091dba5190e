"""Uploads files with tuspy, as a person's script would. Orders and outcomes as in tus_js.mjs."""

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError, TusUploadFailed

_patience = threading.local()


class PatientSession(requests.Session):
    """tuspy lets requests wait for ever on a connection that says nothing; this one does not."""

    def request(self, *arguments: Any, **options: Any) -> requests.Response:
        """See `requests`."""
        return super().request(*arguments, **{**options, "timeout": _patience.seconds})


def send(order: dict[str, Any]) -> dict[str, str]:
    """Upload one file; give its address, or what went wrong."""
    _patience.seconds = order["stall"] / 1000
    client = TusClient(order["endpoint"], headers={"Cookie": order["cookie"]})
    uploader: Any = client.uploader(
        order["path"],
        url=order["url"],
        metadata={"filename": order["name"]},
        chunk_size=order["chunk"],
        retries=2,
        retry_delay=order["delays"][0] / 1000,
    )
    failure = "no attempt"
    for delay in order["delays"]:
        try:
            if uploader.url:
                uploader.offset = uploader.get_offset()
            uploader.upload()
        except (TusCommunicationError, TusUploadFailed) as error:
            failure = repr(error)
            time.sleep(delay / 1000)
        else:
            return {"url": uploader.url}
    return {"error": failure}


def main() -> None:
    """Do what standard input orders, all at once."""
    requests.sessions.Session = PatientSession  # type: ignore[misc] # where tuspy takes it from
    orders = json.load(sys.stdin)
    with ThreadPoolExecutor(len(orders)) as pool:
        print(json.dumps(list(pool.map(send, orders))))


main()
