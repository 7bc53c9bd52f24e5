"""What deploy/compose.production.yml is held to, started and asked as docs/OPERATIONS.md says."""

import http.client
import json
import pathlib
import re
import socket
import ssl

from compose.asking import eventually, expect
from compose.command import PUBLIC, ROOT, Failure, container, docker, inspect, run
from compose.engine import wait_healthy
from compose.hardened import check_hardened, no_shell
from compose.internet import CHECKOUT, DIRECTORY, NAME, ROOTS, follow

COMPOSE = "docker compose -f deploy/compose.production.yml"
STUN = "stun:stun.example.org:3478"
# Somebody who has too many connections.
BUSY = "198.51.100.7"
PORTS = {("tcp", 80), ("tcp", 443)}


def commands(heading):
    """The commands of one section of the page, block by block."""
    page = (ROOT / "docs/OPERATIONS.md").read_text()
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)


def server():
    return container("server", PUBLIC)


def process():
    return inspect(server(), "{{.State.Pid}}")


def shown():
    """The certificate that somebody sees who believes in the authority alone, and asks for the name."""
    with https() as link:
        link.connect()
        return link.sock.getpeercert(binary_form=True)


def https(source=None):
    return Link(NAME, timeout=10, source_address=source, context=ssl.create_default_context(cafile=str(ROOTS)))


class Link(http.client.HTTPSConnection):
    """A connection that is closed at the end of its block."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def ask(method, path, body=None, token=None, source=None):
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    with https(source) as link:
        link.request(method, path, json.dumps(body) if body else None, headers)
        answer = link.getresponse()
        text = answer.read()
        return answer.status, answer.headers, json.loads(text) if text else None


def listening(pid="self"):
    """Where something listens in the network of a process, but for Docker's own DNS: the kind, and the port."""
    found = set()
    for kind, state in [("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")]:
        for line in pathlib.Path(f"/proc/{pid}/net/{kind}").read_text().splitlines()[1:]:
            address, port = line.split()[1].split(":")
            if line.split()[3] == state and address != "0B00007F":
                found.add((kind, int(port, 16)))
    return found


def start(commands):
    follow(commands)
    wait_healthy("server", project=PUBLIC)


class Public:
    """The machine, and what was seen of it before."""

    def __init__(self):
        self.setting, self.starting, self.letting_in, self.changing = commands("A public machine with Docker")
        self.before, self.token, self.certificate, self.item = listening(), None, None, None

    def check_needs_a_name(self):
        said = follow(f"! {COMPOSE} config --quiet 2>&1")
        if "GRTC_DOMAIN=grtc.example.org" not in said:
            raise Failure(f"without a name it says {said!r}")

    def check_start(self):
        follow(self.setting)
        follow(f"printf '%s\\n' GRTC_ACME_DIRECTORY={DIRECTORY} GRTC_ICE_SERVER={STUN} >> deploy/.env")
        start(self.starting)
        self.certificate = shown()

    def check_certificate(self):
        status, headers, body = ask("GET", "/health")
        expect("GET /health", (status, body["status"]), (200, "healthy"))
        expect("HSTS", headers["Strict-Transport-Security"], "max-age=31536000")
        health = ["grtc-server", "health", "--url", "https://127.0.0.1/health/ready", "--server-name", NAME,
                  "--ca", "/etc/ssl/certs/ca-certificates.crt"]
        said = docker("exec", server(), *health, check=False)
        if said.returncode != 1 or "certificate" not in said.stdout:
            raise Failure(f"health takes any certificate: {said.returncode}, {said.stdout!r}")

    def check_redirect(self):
        link = http.client.HTTPConnection(NAME, timeout=10)
        link.request("GET", "/api/items/?q=a")
        answer = link.getresponse()
        expect("plain HTTP", (answer.status, answer.headers["Location"]), (308, f"https://{NAME}/api/items/?q=a"))
        link.close()

    def check_tokens(self):
        status, headers, body = ask("GET", "/api/items/")
        expect("without a token", (status, headers["WWW-Authenticate"], body["code"]), (401, "Bearer", "not_authenticated"))
        said = follow(self.letting_in)
        expect("with the page's token", said.splitlines()[-1], "[]")
        expect("who may read the token", (CHECKOUT / "ann.token").stat().st_mode & 0o077, 0)
        self.token = (CHECKOUT / "ann.token").read_text().removesuffix("\n")
        status, _, self.item = ask("POST", "/api/items/", {"title": "kept"}, self.token)
        expect("an item", (status, self.item["title"]), (201, "kept"))
        expect("servers that clients are told", ask("GET", "/api/ice-servers", token=self.token)[2]["iceServers"], [{"urls": [STUN]}])
        expect("what it was not given", ask("GET", "/rooms", token=self.token)[0], 403)

    def check_key(self):
        """It is the server's user's alone, and nowhere else."""
        file = pathlib.Path(f"/proc/{process()}/root/run/secrets/key")
        key, found = file.read_text().strip(), file.stat()
        expect("mode and owner", (oct(found.st_mode & 0o777), found.st_uid), ("0o600", 65532))
        mounts = json.loads(inspect(server(), "{{json .Mounts}}"))
        expect("may be written", [mount["RW"] for mount in mounts if mount["Destination"] == "/run/secrets"], [False])
        if key not in docker("cp", f"{server()}:/run/secrets", "-").stdout:
            raise Failure("docker cp does not save the key")
        for name in [server(), container("keys", PUBLIC), "grtc-server:local", "grtc-keys:local"]:
            if key in docker("inspect", name).stdout:
                raise Failure(f"docker inspect {name} shows the key")

    def check_hardened(self):
        check_hardened(server(), ["0.0.0.0", "0.0.0.0"])
        no_shell(server())
        status = {line[:26].strip(): line.split()[-3:-1] for line in pathlib.Path(f"/proc/{process()}/limits").read_text().splitlines()}
        expect("open files", status["Max open files"], ["20000", "20000"])
        limits = json.loads(inspect(server(), "[{{.HostConfig.Memory}}, {{.HostConfig.PidsLimit}}]"))
        expect("memory, threads", limits, [1 << 30, 1024])

    def check_ports(self):
        eventually("published", lambda: listening() - self.before == PORTS or listening() - self.before, seconds=5)
        expect("listening within", listening(process()), PORTS | {("tcp", 9464)})
        expect("metrics for everybody", ask("GET", "/metrics")[0], 404)

    def check_limits(self):
        """All as they are without a word."""
        def limits(*command):
            printed = docker(*command, "print-config").stdout
            return {name: int(number) for name, number in re.findall(r"^(max_\w+|\w+_rate) = (\d+)$", printed, re.MULTILINE)}

        plain = limits("run", "--rm", "--network", "none", "grtc-server:local")
        expect("limits", limits("exec", server(), "grtc-server"), plain)
        if len(plain) < 11 or 0 in plain.values():
            raise Failure(f"these are not all: {plain}")

    def check_addresses(self):
        """Who has too many connections is refused, and nobody else: Docker does not hide whose they are."""
        run("ip", "address", "add", f"{BUSY}/32", "dev", "lo")
        held = []

        def refused():
            held.extend(socket.create_connection((NAME, 443), source_address=(BUSY, 0)) for _ in range(50))
            status = ask("GET", "/api/items/", source=(BUSY, 0))[0]
            return status == 429 or (status, len(held))

        try:
            eventually("somebody with hundreds of connections is refused", refused)
            expect("somebody else", ask("GET", "/api/items/", token=self.token)[0], 200)
        finally:
            for link in held:
                link.close()

    def check_kept(self):
        start(self.changing)
        expect("the certificate is the one before", shown() == self.certificate, True)
        status, _, item = ask("GET", f"/api/items/{self.item['id']}", token=self.token)
        expect("the token from before, and what it made", (status, item["title"]), (200, "kept"))

    def check_monitoring(self):
        starting, asking = [block for block in commands("Monitoring") if COMPOSE in block]
        start(starting)
        wait_healthy("prometheus", project=PUBLIC)
        eventually("up, as the page has it asked", lambda: "=> 1 @" in (said := follow(asking)) or said)
        check_hardened(container("prometheus", PUBLIC), [])
        self.check_ports()

    def check_gone(self):
        follow(f"{COMPOSE} down --volumes")
        own = ["--quiet", "--filter", f"label=com.docker.compose.project={PUBLIC}"]
        left = [docker("ps", "--all", *own).stdout, docker("volume", "ls", *own).stdout, docker("network", "ls", *own).stdout]
        expect("containers, volumes, networks", left, ["", "", ""])

    def checks(self):
        yield "public: without a name it says what is missing", self.check_needs_a_name
        yield "public: started as the page says, the certificate is there", self.check_start
        yield "public: it is looked at, by the health check too", self.check_certificate
        yield "public: plain HTTP is sent to https", self.check_redirect
        yield "public: 401 without a token, and in with the page's", self.check_tokens
        yield "public: the key is the server's alone", self.check_key
        yield "public: not root, read-only, no capabilities, bounded", self.check_hardened
        yield "public: nothing but 80 and 443 is published", self.check_ports
        yield "public: the limits are on", self.check_limits
        yield "public: connections are counted by address", self.check_addresses
        yield "public: down and up, with key, certificate and items as before", self.check_kept
        yield "public: Prometheus sees it, and nobody sees Prometheus", self.check_monitoring
        yield "public: down --volumes takes all of it away", self.check_gone
