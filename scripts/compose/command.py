"""Commands, and what they say when they fail."""

import pathlib
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WORK = pathlib.Path("/var/tmp/grtc-compose-test")
PROFILES = ["--profile", "with-nginx", "--profile", "with-clients", "--profile", "monitoring"]
# What docker-compose.yml is called here, and what docs/OPERATIONS.md calls the public machine.
PROJECT, PUBLIC = "grtc", "grtc-public"
STARTED = time.monotonic()


class Failure(Exception):
    """A step did not go as it must; the message says how."""


def say(text):
    print(f"[{time.monotonic() - STARTED:6.1f} s] {text}", flush=True)


def run(*command, quiet=True, check=True, **options):
    """Runs a command; when it fails, its output is part of the failure."""
    if quiet:
        options |= {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, **options)
    if check and done.returncode != 0:
        output = "\n".join((done.stdout or "").splitlines()[-30:]) if quiet else ""
        raise Failure(f"{' '.join(str(word) for word in command)}: exit code {done.returncode}\n{output}")
    return done


def docker(*words, **options):
    return run("/usr/bin/docker", *words, **options)


def compose(*words, **options):
    return run("docker-compose", "--file", ROOT / "docker-compose.yml", "--project-directory", ROOT, *PROFILES, *words, **options)


def inspect(name, template):
    return docker("inspect", "--format", template, name).stdout.strip()


def container(service, project=PROJECT):
    """The newest container of a service. `docker` says so at once, where docker-compose takes a second to start."""
    labels = {"project": project, "service": service}
    filters = [word for name, value in labels.items() for word in ["--filter", f"label=com.docker.compose.{name}={value}"]]
    return docker("ps", "--all", "--quiet", *filters).stdout.split()[0]
