"""What stands for the internet around a public machine: an address, a name that leads there, and an authority for certificates."""

import contextlib
import json
import os
import shutil
import ssl
import subprocess
import urllib.request

from compose.asking import eventually
from compose.command import ROOT, WORK, run

NAME, ADDRESS = "grtc.example.org", "192.0.2.1"
DIRECTORY, MANAGEMENT = f"https://{ADDRESS}:14000/dir", f"https://{ADDRESS}:15000"
NAMES = "127.0.0.1:8053"
FILES, CHECKOUT = WORK / "pebble", WORK / "checkout"
ROOTS = FILES / "roots.pem"
# Left out of the copy: what is built, and what an operator has set for a machine of their own.
LEFT_OUT = shutil.ignore_patterns(".git", "target", "node_modules", "*.db*", ".env")

# The plugin's `docker compose -f FILE …` as docker-compose has it, with one file more: whom to believe.
DOCKER = """#!/bin/bash
[ "$1 $2" = "compose -f" ] || exec /usr/bin/docker "$@"
exec docker-compose -f "$3" -f "$OVERRIDE" "${@:4}"
"""
OVERRIDE = {"services": {"server": {
    "environment": {"GRTC_ACME_CA": "/pebble/own.pem", "GRTC_CA": "/pebble/roots.pem"},
    "volumes": [f"{FILES}:/pebble:ro"],
}}}


def certificate():
    """One for Pebble itself."""
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=pebble",
        "-addext", "basicConstraints=critical,CA:FALSE", "-addext", f"subjectAltName=IP:{ADDRESS}",
        "-keyout", WORK / "pebble.key", "-out", FILES / "own.pem")


def configuration():
    host, api, management = ADDRESS, DIRECTORY.split("/")[2], MANAGEMENT.split("/")[2]
    (WORK / "pebble.json").write_text(json.dumps({"pebble": {
        "listenAddress": api, "managementListenAddress": management, "certificate": str(FILES / "own.pem"),
        "privateKey": str(WORK / "pebble.key"), "httpPort": 80, "tlsPort": 443, "ocspResponderURL": "",
        "externalAccountBindingRequired": False,
    }}))
    run("ip", "address", "add", f"{host}/32", "dev", "lo")
    # Within this script's namespaces alone.
    (WORK / "hosts").write_text(f"127.0.0.1 localhost\n{host} {NAME}\n")
    run("mount", "--bind", WORK / "hosts", "/etc/hosts")


def roots():
    """Keeps the roots that Pebble's certificates come from: it makes them when it starts."""
    trust = ssl.create_default_context(cafile=str(FILES / "own.pem"))
    with urllib.request.urlopen(f"{MANAGEMENT}/roots/0", timeout=5, context=trust) as answer:
        ROOTS.write_bytes(answer.read())
    return True


@contextlib.contextmanager
def internet():
    """Pebble, which finds NAME at ADDRESS: this script's own network, where the engine publishes ports."""
    FILES.mkdir(mode=0o755)
    certificate()
    configuration()
    log = open(WORK / "pebble.log", "w")
    names = ["pebble-challtestsrv", "-defaultIPv4", ADDRESS, "-defaultIPv6", "", "-dns01", NAMES, "-http01", "", "-https01", "",
             "-tlsalpn01", "", "-management", "127.0.0.1:8055"]
    pebble = ["pebble", "-config", WORK / "pebble.json", "-dnsserver", NAMES]
    start = [subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                              env={**os.environ, "PEBBLE_VA_NOSLEEP": "1"}) for command in [names, pebble]]
    try:
        eventually("Pebble answers", roots, seconds=20)
        yield
    finally:
        for process in start:
            process.terminate()
            process.wait(10)


def checkout():
    """A copy of this repository, in which the commands of a page can be followed."""
    shutil.copytree(ROOT, CHECKOUT, ignore=LEFT_OUT, symlinks=True)
    (WORK / "bin").mkdir()
    (WORK / "bin" / "docker").write_text(DOCKER)
    (WORK / "bin" / "docker").chmod(0o755)
    (WORK / "public.yml").write_text(json.dumps(OVERRIDE))


def follow(commands):
    """Runs commands of a page as they stand there; what they print."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("COMPOSE_", "GRTC_"))}
    env = {**own, "PATH": f"{WORK}/bin:{os.environ['PATH']}", "OVERRIDE": f"{WORK}/public.yml", "CURL_CA_BUNDLE": str(ROOTS)}
    return run("bash", "-euo", "pipefail", "-c", commands, cwd=CHECKOUT, env=env).stdout
