"""A Debian that systemd has booted, in a folder: what is done to it is gone with it."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess

from compose.command import Failure, run, say


class Machine:
    """Runs commands in there, as root. Its network is this process's."""

    def __init__(self, root, leader):
        self.root, self.leader = root, leader

    def run(self, *command, check=True):
        """What a command prints; it has to succeed."""
        inside = ["nsenter", f"--target={self.leader}", "--mount", "--uts", "--ipc", "--pid", "--cgroup", "env", "--chdir=/root/grtc", "-i",
                  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "DEBIAN_FRONTEND=noninteractive"]
        return run(*inside, *command, check=check).stdout.strip()

    def fails(self, *command):
        return bool(self.run("sh", "-c", '"$@" >&2 || echo failed', "sh", *command).endswith("failed"))

    def shell(self, commands):
        return self.run("bash", "-euo", "pipefail", "-c", commands)


def install_systemd(root):
    """Puts systemd into a Debian made by debootstrap."""
    resolver = root / "etc/resolv.conf"
    resolver.write_text(pathlib.Path("/etc/resolv.conf").read_text())
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in [["update"], ["install", "--yes", "--no-install-recommends", "systemd-sysv"]]:
        run("chroot", root, "apt-get", "--quiet", *command, env=env)
    resolver.unlink()


@contextlib.contextmanager
def booted(root):
    """Boots it in a container, within the namespaces of this process, and shuts it down afterwards."""
    # systemd wants the one hierarchy of control groups; some machines have older ones there.
    if not pathlib.Path("/sys/fs/cgroup/cgroup.procs").exists():
        run("umount", "--recursive", "/sys/fs/cgroup")
        run("mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup")
    address = root.parent / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(str(address))
        notices.settimeout(90)
        container = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "--boot", f"--directory={root}", "--register=no", "--keep-unit", "--notify-ready=yes",
             "--machine=grtc-test", "--resolv-conf=off", "--link-journal=no", "--console=pipe"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "NOTIFY_SOCKET": str(address)})
        try:
            yield Machine(root, leader_when_ready(notices))
        except TimeoutError as error:
            container.kill()
            raise Failure(f"systemd does not start in there:\n{container.stdout.read().decode(errors='replace')}") from error
        finally:
            say("shutting the machine down")
            container.send_signal(signal.SIGTERM)
            container.communicate(timeout=60)
            forget_groups()


def leader_when_ready(notices):
    """The first process of the container, once all of its services have started."""
    leader = None
    while True:
        facts = dict(line.split("=", 1) for line in notices.recv(4096).decode().splitlines() if "=" in line)
        leader = facts.get("X_NSPAWN_LEADER_PID", leader)
        if facts.get("READY") == "1":
            return leader


def forget_groups():
    """Takes away the control groups that the container leaves, empty, in the one of this process."""
    own = next(line[3:] for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::"))
    for name in ["payload", "supervisor"]:
        top = pathlib.Path(f"/sys/fs/cgroup{own}") / name
        for folder in sorted([top, *top.rglob("*/")], reverse=True):
            if folder.is_dir():
                folder.rmdir()
