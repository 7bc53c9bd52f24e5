"""What a container must not be able to do."""

import json
import pathlib

from compose.asking import expect
from compose.command import Failure, docker, inspect


def check_hardened(name, published):
    """Not root, nothing to write to but volumes and /tmp, no right; its ports are published on these addresses alone."""
    config = json.loads(inspect(name, "{{json .}}"))
    host = config["HostConfig"]
    if config["Config"]["User"].split(":")[0] in ["", "0", "root"]:
        raise Failure(f"runs as {config['Config']['User']!r}")
    expect("root file system is read-only", host["ReadonlyRootfs"], True)
    expect("restart policy", host["RestartPolicy"]["Name"], "unless-stopped")
    expect("the log", (host["LogConfig"]["Type"], host["LogConfig"]["Config"]), ("json-file", {"max-file": "3", "max-size": "10m"}))
    expect("published on", [entry["HostIp"] for ports in host["PortBindings"].values() for entry in ports], published)
    status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{config['State']['Pid']}/status").read_text().splitlines())
    if "0" in status["Uid"].split():
        raise Failure(f"the process has the user ids {status['Uid']}")
    for capabilities in ["CapEff", "CapPrm", "CapBnd"]:
        expect(capabilities, int(status[capabilities], 16), 0)
    expect("NoNewPrivs", status["NoNewPrivs"].strip(), "1")


def no_shell(name):
    if docker("exec", name, "/bin/sh", "-c", "true", check=False).returncode == 0:
        raise Failure("there is a shell")
