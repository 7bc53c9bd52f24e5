"""The images, made of Debian packages instead of a registry's."""

import hashlib
import os
import pathlib
import shutil
import tempfile

from compose.command import ROOT, WORK, Failure, compose, docker, inspect, run, say

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "grtc" / "compose"
SUITE = "bookworm"
# The images that the compose files and deploy/Dockerfile name, and the Debian packages that make the like of them.
NGINX_IMAGE = "nginx:1.28"
PROMETHEUS_IMAGE = "prom/prometheus:v3.10.0"
BUILDER_IMAGE = "rust:1-bookworm"
SERVICE_PACKAGES = ["ca-certificates", "curl", "nginx-light", "prometheus"]
BUILDER_PACKAGES = ["ca-certificates", "gcc", "libc6-dev"]
# What nothing reads there: half a gigabyte that each run would import.
LEFT_OUT = ["var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/javascript", "usr/share/locale", "usr/share/man"]


def install_packages():
    # Debian's own docker before any other client: this one builds without plugins.
    os.environ["PATH"] = f"/usr/bin:/usr/sbin:{os.environ['PATH']}:/sbin"
    needed = {
        "/usr/bin/docker": "docker.io", "dockerd": "docker.io", "docker-compose": "docker-compose", "ip": "iproute2",
        "iptables": "iptables", "debootstrap": "debootstrap", "mount": "mount", "pebble": "pebble", "openssl": "openssl", "curl": "curl",
    }
    missing = sorted({package for program, package in needed.items() if not shutil.which(program)})
    if not missing:
        return
    say(f"apt-get install {' '.join(missing)}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "update", env=env)
    run("apt-get", "install", "--yes", "--no-install-recommends", *missing, env=env)


def base_image(name, packages):
    """A tar file with Debian and some packages, made once and kept."""
    key = hashlib.sha256(" ".join([SUITE, *packages, *LEFT_OUT]).encode()).hexdigest()[:12]
    tar = CACHE / f"{name}-{key}.tar"
    if tar.exists():
        return tar
    say(f"debootstrap {SUITE} with {', '.join(packages)}")
    CACHE.mkdir(parents=True, exist_ok=True)
    debs = CACHE / "debs"
    debs.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        run("debootstrap", "--variant=minbase", f"--cache-dir={debs}", f"--include={','.join(packages)}", SUITE, folder)
        # A temporary folder is its owner's alone, and the root of a system everybody's.
        pathlib.Path(folder).chmod(0o755)
        # The host's own settings end up in there.
        for path in ["etc/resolv.conf", "etc/hostname"]:
            (pathlib.Path(folder) / path).unlink(missing_ok=True)
        part = tar.with_suffix(".part")
        run("tar", "-C", folder, *[f"--exclude=./{path}/*" for path in LEFT_OUT], "-cf", part, ".")
        part.rename(tar)
    return tar


def prebuilt_binaries(folder):
    if folder is None:
        say("cargo build --release")
        target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
        run("cargo", "build", "--release", "--locked", "--package", "grtc-server", "--package", "grtc-peer", cwd=ROOT)
        folder = target / "release"
    for name in ["grtc-server", "grtc-peer"]:
        if not (folder / name).is_file():
            raise Failure(f"{folder / name} is missing")
    return folder


def builder_context(folder, binaries):
    """What makes BUILDER_IMAGE: either a `cargo` that only hands out finished binaries, or the real one."""
    if binaries is None:
        sysroot = pathlib.Path(run("rustc", "--print", "sysroot", cwd=ROOT).stdout.strip())
        home = pathlib.Path(os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo"))
        run("cargo", "fetch", "--locked", cwd=ROOT)
        say("copying the toolchain and the downloaded crates")
        for part in ["bin", "lib"]:
            run("cp", "-aL", sysroot / part, folder / part)
        for part in ["index", "cache"]:
            run("mkdir", "-p", folder / "cargo" / "registry")
            run("cp", "-a", home / "registry" / part, folder / "cargo" / "registry" / part)
        lines = ["COPY bin /usr/local/bin", "COPY lib /usr/local/lib", "COPY cargo /usr/local/cargo",
                 "ENV CARGO_HOME=/usr/local/cargo CARGO_NET_OFFLINE=true"]
    else:
        for name in ["grtc-server", "grtc-peer"]:
            run("install", "-D", "-m", "0755", binaries / name, folder / "release" / name)
        cargo = folder / "cargo"
        cargo.write_text("#!/bin/sh\nmkdir -p target && cp -r /prebuilt/release target/\n")
        cargo.chmod(0o755)
        lines = ["COPY release /prebuilt/release", "COPY cargo /usr/local/bin/cargo"]
    (folder / "Dockerfile").write_text("\n".join(["FROM grtc-test-base", *lines, ""]))


def make_images(services, builder, context):
    say("importing the base images")
    docker("import", services, NGINX_IMAGE)
    # Where the official one keeps what it has collected, and whose that is.
    own = f"FROM {NGINX_IMAGE}\nRUN install --directory --owner=65534 --group=65534 /prometheus\n"
    (context.parent / "prometheus").mkdir()
    (context.parent / "prometheus" / "Dockerfile").write_text(own)
    docker("build", "--tag", PROMETHEUS_IMAGE, context.parent / "prometheus")
    if builder == services:
        docker("tag", NGINX_IMAGE, "grtc-test-base")
    else:
        docker("import", builder, "grtc-test-base")
    docker("build", "--tag", BUILDER_IMAGE, context)
    say("building the images of docker-compose.yml")
    compose("build")
    for image in ["grtc-server", "grtc-client-a"]:
        size = int(inspect(f"{image}:local", "{{.Size}}"))
        say(f"image {image}: {size / 1e6:.1f} MB")
