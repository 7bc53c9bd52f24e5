"""What docker-compose.yml is held to."""

import base64
import hashlib
import json
import os
import socket

from compose.asking import eventually, expect, request
from compose.command import Failure, compose, container, docker, say
from compose.engine import wait_healthy
from compose.hardened import check_hardened, no_shell

SERVICES = ["server", "nginx", "client-a", "client-b", "prometheus"]


def check_health():
    status, _, body = request(8001, "GET", "/health")
    expect("status", status, 200)
    expect("body", (body["status"], body["service"]), ("healthy", "grtc"))


def check_items(port):
    status, _, item = request(port, "POST", "/api/items/", {"title": "from compose-test"})
    expect("create", (status, item["title"]), (201, "from compose-test"))
    path = f"/api/items/{item['id']}"
    status, _, item = request(port, "PUT", path, {"title": "changed"})
    expect("update", (status, item["title"]), (200, "changed"))
    expect("read", request(port, "GET", path)[2]["title"], "changed")
    status, _, items = request(port, "GET", "/api/items/")
    expect("list", (status, [entry["title"] for entry in items if entry["id"] == item["id"]]), (200, ["changed"]))
    expect("delete", request(port, "DELETE", path)[0], 204)
    expect("read after delete", request(port, "GET", path)[0], 404)


def check_nginx_errors():
    status, headers, body = request(80, "POST", "/api/items/", b" " * (1024 * 1024 + 1))
    expect("a body over 1 MiB", (status, headers.get_content_type(), body["status"]), (413, "application/problem+json", 413))
    _, headers, _ = request(80, "GET", "/health")
    if "/" in (headers.get("Server") or ""):
        raise Failure(f"nginx tells its version: {headers['Server']}")


def check_websocket(port):
    key = base64.b64encode(os.urandom(16)).decode()
    wanted = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
        link.sendall((f"GET /ws/compose-test?peer_id=probe HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
                      f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n").encode())
        stream = link.makefile("rb")
        expect("status line", stream.readline().split()[1], b"101")
        headers = {}
        while (line := stream.readline().strip()):
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        expect("Sec-WebSocket-Accept", headers.get("sec-websocket-accept"), wanted)
        first, length = stream.read(2)
        if length == 126:
            length = int.from_bytes(stream.read(2), "big")
        frame = json.loads(stream.read(length))
        expect("first frame", (first & 0x0F, frame["type"]), (1, "room_state"))


def check_events():
    """An event arrives while the response is still open: nothing on the way keeps it back."""
    with socket.create_connection(("127.0.0.1", 80), timeout=10) as link:
        link.sendall(b"GET /api/items/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n")
        stream = link.makefile("rb")
        expect("status line", stream.readline().split()[1], b"200")
        while stream.readline().strip():
            pass
        request(80, "POST", "/api/items/", {"title": "an event"})
        for line in stream:
            if line.strip() == b"event: created":
                return
    raise Failure("the response ended without the event")


def peer_sees(port, own, other):
    """True when the status page at `port` says that `own` is in its room and has a P2P channel to `other`; else what it says."""
    status, _, body = request(port, "GET", "/status.json")
    expect("status", status, 200)
    peers = {peer["peer_id"]: peer for peer in body["peers"]}
    if (body["peer_id"], body["link"]) == (own, "up") and other in peers and peers[other]["present"] and peers[other]["state"] == "open":
        pair = peers[other]["pair"]
        return all(pair[field] for field in ["local", "remote", "protocol"]) or json.dumps(body)
    return json.dumps(body)


def never_disconnected(port):
    """The P2P channel of the peer with this status page has not been interrupted since it was first open."""
    lost = [line["text"] for line in request(port, "GET", "/status.json")[2]["log"] if line["text"].startswith("disconnected")]
    expect(f"interruptions that port {port} tells of", lost, [])


def check_peers():
    eventually("A sees B", lambda: peer_sees(7900, "A", "B"))
    eventually("B sees A", lambda: peer_sees(7901, "B", "A"))
    pair = next(peer["pair"] for peer in request(7900, "GET", "/status.json")[2]["peers"] if peer["peer_id"] == "B")
    timings = next(peer["timings"] for peer in request(7900, "GET", "/status.json")[2]["peers"] if peer["peer_id"] == "B")
    say(f"     A to B: {json.dumps(pair)}, open in {timings['total']} ms")


def room_has_both():
    peers = request(8001, "GET", "/rooms/room1/peers")[2]["peers"]
    return {"A", "B"} <= set(peers) or peers


def check_restart():
    _, _, item = request(80, "POST", "/api/items/", {"title": "kept in the volume"})
    compose("restart", "server")
    wait_healthy("server")
    eventually("A and B are back in the room", room_has_both)
    check_peers()
    never_disconnected(7900)
    never_disconnected(7901)
    eventually("the item is there, through nginx",
               lambda: request(80, "GET", f"/api/items/{item['id']}")[2].get("title") == "kept in the volume")


def check_recreate():
    _, _, item = request(80, "POST", "/api/items/", {"title": "kept in the volume"})
    compose("rm", "--stop", "--force", "server")
    status, headers, body = request(80, "GET", "/health")
    expect("nginx without a server", (status, headers.get_content_type(), body["status"]), (503, "application/problem+json", 503))
    compose("up", "--detach", "--no-build", "--no-recreate", "server")
    wait_healthy("server")
    eventually("the item is there, through nginx",
               lambda: request(80, "GET", f"/api/items/{item['id']}")[2].get("title") == "kept in the volume")
    eventually("A and B are back in the room", room_has_both)
    check_peers()


def checks():
    yield "GET /health on port 8001", check_health
    yield "items: create, read, list, update, delete on port 8001", lambda: check_items(8001)
    yield "items: create, read, list, update, delete through nginx on port 80", lambda: check_items(80)
    yield "a WebSocket on port 8001", lambda: check_websocket(8001)
    yield "a WebSocket through nginx", lambda: check_websocket(80)
    yield "live events through nginx", check_events
    yield "nginx: 413 as a problem, no version told", check_nginx_errors
    for service in SERVICES:
        yield (f"{service}: not root, read-only, no capabilities, restarts, published on loopback",
               lambda s=service: check_hardened(container(s), ["127.0.0.1"]))
    for service in ["server", "client-a"]:
        yield f"{service}: no shell in the image", lambda s=service: no_shell(container(s))
    yield "A and B report each other as connected over P2P", check_peers
    yield "restart of the server: A and B keep their channel and come back to the room, items are kept", check_restart
    yield "a new server container: nginx finds it, A and B come back, items are kept", check_recreate
