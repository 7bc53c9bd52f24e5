# The verbs of everyday work: `just` lists them, `just test` does one.

_default:
    @just --list --unsorted

# Everything that has to hold before a change lands; with words, only the steps that begin with one of them
test *steps:
    scripts/test {{ steps }}

# A server and two peers in this terminal; Ctrl-C ends it
demo *args:
    scripts/demo {{ args }}

# The server, with the page from the working folder; its database is grtc.db here
run *args:
    cargo run --bin grtc-server -- --web-dir web {{ args }}

# Load on a build as it is shipped: CPU per message, joins, memory per socket, the item store
load *args="all":
    cargo build --release --package grtc-server --package grtc-load
    target/release/grtc-load {{ args }}

# Searches for input that breaks something: a target and seconds, or all of them for a minute
fuzz *args:
    scripts/fuzz {{ args }}

# docker-compose.yml and the public machine, with all their profiles, on an engine of its own (Debian, root)
compose *args:
    scripts/compose-test {{ args }}

# Debian packages of a release build, in target/package
package *args:
    cargo build --release --package grtc-server --package grtc-peer
    scripts/package {{ args }}

# Rust in the project's format
fmt:
    cargo fmt --all

# What clippy has to say, and shellcheck of the scripts
lint:
    scripts/test lint scripts
