"""A Docker engine of our own, in namespaces of its own."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time

from compose.command import (
    PROJECT,
    ROOT,
    WORK,
    Failure,
    container,
    docker,
    inspect,
    run,
)


def enter_namespaces():
    """Goes on in a child that is the first process of new namespaces; the parent hands signals on and waits."""
    libc = ctypes.CDLL(None, use_errno=True)
    new_mounts, new_pids, new_net, death_signal = 0x00020000, 0x20000000, 0x40000000, 1
    if libc.unshare(new_mounts | new_pids | new_net) != 0:
        raise Failure(f"unshare: {os.strerror(ctypes.get_errno())} (this must run as root)")
    sys.stdout.flush()
    child = os.fork()
    if child:
        for number in [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]:
            signal.signal(number, lambda number, _: os.kill(child, number))
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) % 256)
    libc.prctl(death_signal, signal.SIGKILL)
    run("mount", "--make-rprivate", "/")
    run("mount", "-t", "proc", "proc", "/proc")
    run("ip", "link", "set", "lo", "up")


@contextlib.contextmanager
def engine():
    """A dockerd of our own; DOCKER_HOST names it."""
    address = f"unix://{WORK}/docker.sock"
    os.environ |= {"DOCKER_HOST": address, "DOCKER_CONFIG": f"{WORK}/config", "COMPOSE_PROJECT_NAME": PROJECT,
                   "COMPOSE_FILE": f"{ROOT}/docker-compose.yml"}
    os.environ.setdefault("DOCKER_BUILDKIT", "1")
    for name in ["DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"]:
        os.environ.pop(name, None)
    log = open(WORK / "dockerd.log", "w")
    daemon = subprocess.Popen(
        ["dockerd", "--data-root", WORK / "data", "--exec-root", WORK / "exec", "--pidfile", WORK / "pid", "-H", address],
        stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while docker("version", check=False).returncode != 0:
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise Failure("dockerd does not start:\n" + "".join((WORK / "dockerd.log").read_text()[-3000:]))
            time.sleep(0.1)
        yield
    finally:
        daemon.terminate()
        try:
            daemon.wait(30)
        except subprocess.TimeoutExpired:
            daemon.kill()


def wait_healthy(*services, project=PROJECT, seconds=90):
    """Waits until Docker's own health checks say so."""
    deadline = time.monotonic() + seconds
    for service in services:
        while (state := inspect(container(service, project), "{{.State.Status}} {{.State.Health.Status}}")) != "running healthy":
            if time.monotonic() > deadline:
                raise Failure(f"{service} is {state} after {seconds} s")
            time.sleep(0.2)
