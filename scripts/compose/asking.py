"""Questions to what runs, and what is expected of the answers."""

import http.client
import json
import time

from compose.command import Failure


def request(port, method, path, body=None, headers=None):
    """One HTTP request on a connection of its own: (status, headers, decoded JSON or None)."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        link.request(method, path, data, {"Content-Type": "application/json", **(headers or {})} if data else headers or {})
        answer = link.getresponse()
        text = answer.read()
        return answer.status, answer.headers, json.loads(text) if text else None
    finally:
        link.close()


def expect(what, found, wanted):
    if found != wanted:
        raise Failure(f"{what}: {found!r}, not {wanted!r}")


def eventually(what, probe, seconds=60):
    """Asks until the answer is true; what it answered last is part of the failure."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            seen = probe()
            if seen is True:
                return
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            seen = repr(error)
        if time.monotonic() > deadline:
            raise Failure(f"{what}: not within {seconds} s; last: {seen}")
        time.sleep(0.2)
