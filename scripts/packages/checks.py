"""What docs/OPERATIONS.md says of the system service, in the order in which it is tried."""

import re
import shlex
import threading
import urllib.request

from compose.checks import eventually, expect, request
from compose.command import ROOT, Failure, run

UNIT = ROOT / "deploy/systemd/grtc-server.service"
BLOCK = re.compile(r"<!-- run by: scripts/package-test (\S+) -->\n```sh\n(.*?)```", re.DOTALL)
BLOCKS = dict(BLOCK.findall((ROOT / "docs/OPERATIONS.md").read_text()))


def block(name):
    """Commands of the page, without the builds: the binaries are there."""
    return "".join(line for line in BLOCKS.pop(name).splitlines(keepends=True) if not line.startswith("cargo "))


# ---- what is asked ---------------------------------------------------------------------------------------------------

def healthy():
    eventually("health", lambda: request(8001, "GET", "/health")[2]["status"] == "healthy")


def titles():
    healthy()
    return [item["title"] for item in request(8001, "GET", "/api/items/")[2]]


def create(title):
    healthy()
    expect("create", request(8001, "POST", "/api/items/", {"title": title})[0], 201)


def shown(machine, name):
    return machine.run("systemctl", "show", "--value", f"--property={name}", "grtc-server.service")


def process(machine):
    """The folder of the service's process in /proc, seen from inside."""
    return f"/proc/{shown(machine, 'MainPID')}"


def program(machine):
    return machine.run("readlink", f"{process(machine)}/exe")


class Visitors:
    """Somebody asks on end, each time on a new connection; whoever is refused is told of."""

    def __enter__(self):
        self.failed, self.served, self.over = set(), 0, threading.Event()
        self.thread = threading.Thread(target=self.ask)
        self.thread.start()
        return self

    def ask(self):
        while not self.over.is_set():
            try:
                expect("status", request(8001, "GET", "/health")[0], 200)
                self.served += 1
            except (OSError, Failure) as error:
                self.failed.add(repr(error))

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


# ---- the checks, in their order --------------------------------------------------------------------------------------

def exposure(_):
    """The service is kept from most of what it does not need."""
    run("systemd-analyze", "security", "--offline=true", "--threshold=20", UNIT)


def by_hand(machine):
    """By hand, it runs from /usr/local."""
    machine.shell(block("by-hand"))
    create("by hand")
    expect("program", program(machine), "/usr/local/bin/grtc-server")


def install(machine):
    """The package takes over from there, with the items."""
    machine.shell(block("to-the-package"))
    machine.shell(block("install"))
    expect("items", titles(), ["by hand"])
    expect("program", program(machine), "/usr/bin/grtc-server")
    expect("unit", machine.run("readlink", "-f", shown(machine, "FragmentPath")), "/usr/lib/systemd/system/grtc-server.service")
    expect("starts with the machine", machine.run("systemctl", "is-enabled", "grtc-server.service"), "enabled")
    expect("what is wrong with the units", machine.run("systemd-analyze", "verify", "grtc-server.service", "grtc-server.socket"), "")


def confinement(machine):
    """It runs as nobody else, without a capability, and writes in one folder."""
    status = dict(line.split(":\t", 1) for line in machine.run("cat", f"{process(machine)}/status").splitlines() if ":\t" in line)
    user = status["Uid"].split()[0]
    expect("a user of its own", (int(user) >= 61184, machine.fails("getent", "passwd", user)), (True, True))
    expect("capabilities", {status[name].strip("0") for name in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]}, {""})
    expect("system calls are filtered", (status["Seccomp"], status["NoNewPrivs"]), ("2", "1"))
    expect("folder", machine.run("stat", "--format=%a %u", "/var/lib/private/grtc"), f"700 {user}")
    mounts = [line.split() for line in machine.run("cat", f"{process(machine)}/mounts").splitlines()]
    # The container has put its own into /run/host.
    writable = {place for disk, place, _, options, *_ in mounts
                if disk.startswith("/dev/") and "rw" in options.split(",") and not place.startswith("/run/host/")}
    expect("what it can write on the disk", writable - {"/tmp", "/var/tmp"}, {"/var/lib/private/grtc"})
    machine.run("systemd-analyze", "security", "--threshold=20", "grtc-server.service")


def settings(machine):
    """Settings are nobody else's to read, show the defaults, and hold."""
    expect("mode", machine.run("stat", "--format=%a %U", "/etc/grtc/server.env"), "640 root")
    unit = shlex.split(shown(machine, "Environment"))
    defaults = re.findall(r"(?m)^#(GRTC_.*)$", machine.run("cat", "/etc/grtc/server.env"))
    configured = [machine.run("env", *words, "grtc-server", "print-config") for words in [unit, unit + defaults]]
    expect("defaults", (configured[1], len(defaults) > 0), (configured[0], True))
    machine.shell(f"cat >> /etc/grtc/server.env <<'END'\n{block('settings')}END\nsystemctl restart grtc-server")
    expect("it serves once systemd says so", request(8001, "GET", "/health")[0], 200)
    create("with settings")
    expect("metrics", urllib.request.urlopen("http://127.0.0.1:9464/metrics").status, 200)
    machine.shell("journalctl --unit=grtc-server --output=cat --boot | grep -q '^{.*listening'")


def crash(machine):
    """It is started again when it has been killed, with its items."""
    before = process(machine)
    machine.run("systemctl", "kill", "--signal=KILL", "grtc-server")
    eventually("another process", lambda: process(machine) not in (before, "/proc/0"))
    expect("items", titles(), ["by hand", "with settings"])


def peer(machine):
    """Peers of the package meet by it; the shells know the words."""
    machine.run("grtc-peer", "swarm", "room1", "--peers", "2", "--timeout", "60s")
    for name in ["grtc-server", "grtc-peer"]:
        words = machine.shell(f"source /usr/share/bash-completion/completions/{name}; complete -p {name}")
        expect("completion", words.split()[-1], name)
        machine.run("grep", "--quiet", f"#compdef {name}", f"/usr/share/zsh/vendor-completions/_{name}")
        machine.run("grep", "--quiet", f"complete -c {name}", f"/usr/share/fish/vendor_completions.d/{name}.fish")


def sockets(machine):
    """With the socket, no visitor of a restart is refused."""
    machine.shell(block("socket"))
    healthy()
    with Visitors() as visitors:
        machine.run("systemctl", "restart", "grtc-server")
        healthy()
    expect("refused", (visitors.failed, visitors.served > 0), (set(), True))


def upgrade(machine):
    """Nor of an upgrade, which keeps settings and items and runs the new program."""
    before, kept = process(machine), machine.run("cat", "/etc/grtc/server.env")
    with Visitors() as visitors:
        machine.shell("apt install ./newer/*.deb")
        healthy()
    expect("refused", (visitors.failed, visitors.served > 0), (set(), True))
    expect("version", machine.run("dpkg-query", "--show", "--showformat=${Version}", "grtc-server").rpartition("-")[2], "2")
    expect("settings", machine.run("cat", "/etc/grtc/server.env"), kept)
    expect("items", titles(), ["by hand", "with settings"])
    expect("the same process", process(machine) == before, False)


def public(machine):
    """On ports 443 and 80, with TLS and tokens, and no right more."""
    machine.shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=grtc -keyout /etc/grtc/tls.key "
                  "-out /etc/grtc/tls.pem -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE")
    machine.shell(block("public"))
    token = machine.shell("grtc-server token create --key /etc/grtc/key --sub ann --items write --ttl 1h")

    def answer(url, *words):
        told = ["--silent", "--output", "/dev/null", "--write-out", "%{http_code} %{redirect_url}", "--cacert", "/etc/grtc/tls.pem"]
        return machine.run("curl", *told, *words, url)

    expect("health", answer("https://127.0.0.1/health"), "200")
    expect("nobody", answer("https://127.0.0.1/api/items/"), "401")
    expect("ann", answer("https://127.0.0.1/api/items/", "--header", f"Authorization: Bearer {token}"), "200")
    expect("in plain HTTP", answer("http://127.0.0.1/health"), "308 https://127.0.0.1/health")
    confinement(machine)
    machine.shell("rm -r /etc/systemd/system/grtc-server.*.d; systemctl daemon-reload; systemctl stop grtc-server grtc-server.socket")


def remove(machine):
    """Removed, it runs no more; installed again, it has the items."""
    machine.shell("systemctl start grtc-server.socket; apt remove --yes grtc-server")
    try:
        request(8001, "GET", "/health")
        raise Failure("something still listens")
    except ConnectionRefusedError:
        pass
    machine.run("test", "-f", "/etc/grtc/server.env")
    machine.run("test", "-f", "/var/lib/grtc/grtc.db")
    machine.shell("apt install ./newer/grtc-server_*.deb")
    expect("items", titles(), ["by hand", "with settings"])


def purge(machine):
    """Purged, nothing of it is left but what was put beside it."""
    machine.shell("apt purge --yes grtc-server grtc-peer")
    left = machine.shell("find / -xdev -name '*grtc*' -not -path '/root/*' -not -path '/var/lib/apt/*' -not -path '/tmp/*' | sort")
    expect("left", left.splitlines(), ["/etc/grtc"])
    expect("in there", sorted(machine.run("ls", "/etc/grtc").split()), ["key", "tls.key", "tls.pem"])
    expect("commands that nobody ran", list(BLOCKS), [])


CHECKS = [exposure, by_hand, install, confinement, settings, crash, peer, sockets, upgrade, public, remove, purge]
