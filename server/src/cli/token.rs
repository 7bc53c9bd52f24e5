//! `grtc-server token`: keys, tokens, and what is in them. No secret stands on a command line, where others see it.

use std::{
    fs::{self, OpenOptions},
    io::{self, BufRead as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use clap::{Subcommand, ValueEnum};
use grtc_protocol::PeerId;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::{
    auth::{
        AuthConfig, Claims, Rules, Token,
        grants::Rooms,
        key::{Key, is_pem},
        signing::{NewKey, SigningKey},
    },
    duration, random,
};

/// Make keys and tokens, and look into them
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Examples:\n  grtc-server token key --out key\n  grtc-server --listen 0.0.0.0:8001 --auth-secret-file key\n  \
                  grtc-server token create --key key --sub ann --room \"team-*\" --items write\n  grtc-server token check \
                  --key key < token"
)]
pub enum TokenCommand {
    /// Make a key, in a file that nobody else may read
    Key {
        /// HS256: one secret that makes tokens and checks them. EdDSA: a private key that makes them, and beside it, as
        /// FILE.pub, a public one that checks them
        #[arg(long, value_enum, default_value_t = NewAlgorithm::Hs256)]
        algorithm: NewAlgorithm,
        /// Where to put it; what is there is left alone
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// If there is a key already, all is well: for what makes one at its first start
        #[arg(long)]
        if_missing: bool,
    },
    /// Make a token and print it
    Create(Box<Create>),
    /// Explain the token on stdin; exit code 0 if it is good, 1 if it is not
    Check {
        /// A key that it may be signed with: a secret, or a public or private key in PEM; repeatable. Without any, who signed
        /// it is not looked at
        #[arg(long, value_name = "FILE")]
        key: Vec<PathBuf>,
        /// What it has to have as its audience (aud)
        #[arg(long, default_value_t = AuthConfig::default().auth_audience, value_name = "TEXT")]
        audience: String,
        /// What it has to have as its issuer (iss)
        #[arg(long, value_name = "TEXT")]
        issuer: Option<String>,
    },
}

/// What a new key is for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum NewAlgorithm {
    /// A secret (RFC 7518 section 3.2).
    #[value(name = "HS256")]
    Hs256,
    /// A pair of Ed25519 (RFC 8037).
    #[value(name = "EdDSA")]
    EdDsa,
}

/// What a new token says.
#[derive(Debug, clap::Args)]
pub struct Create {
    /// The key to sign it with: a secret, or a private key in PEM (PKCS #8)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Whose it is
    #[arg(long, value_name = "TEXT")]
    sub: String,
    /// A room that may be joined; with * at its end, all whose names begin so; repeatable
    #[arg(long, value_name = "ROOM", value_parser = room)]
    room: Vec<String>,
    /// The peer id to join under, and no other
    #[arg(long, value_name = "ID")]
    peer_id: Option<PeerId>,
    /// Items and jobs may be read, or written as well
    #[arg(long, value_enum, value_name = "HOW")]
    items: Option<ItemsGrant>,
    /// Rooms may be listed
    #[arg(long)]
    list: bool,
    /// The server may be administered
    #[arg(long)]
    admin: bool,
    /// No messages to the room, but signals
    #[arg(long)]
    no_publish: bool,
    /// How long it is good for, as 1h or 15m
    #[arg(long, default_value = "1h", value_parser = duration::duration, value_name = "TIME")]
    ttl: Duration,
    /// Whom it is for (aud): what the server has as --auth-audience
    #[arg(long, default_value_t = AuthConfig::default().auth_audience, value_name = "TEXT")]
    audience: String,
    /// Who issues it (iss): what the server has as --auth-issuer
    #[arg(long, value_name = "TEXT")]
    issuer: Option<String>,
}

/// How far items may be gone about.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ItemsGrant {
    /// Reading them.
    Read,
    /// Changing them as well.
    Write,
}

impl TokenCommand {
    /// Does what it says: writes files, prints a token, or explains the one that stdin has.
    ///
    /// # Errors
    /// When it can't be done, or the token is not good.
    pub fn run(&self) -> anyhow::Result<()> {
        match self {
            Self::Key { out, if_missing: true, .. } if out.exists() => signing_key(out, "--out").map(drop),
            Self::Key { algorithm, out, .. } => key(*algorithm, out),
            Self::Create(create) => print(&create.token()?),
            Self::Check { key, audience, issuer } => {
                let mut token = String::new();
                io::stdin().lock().read_line(&mut token).context("stdin can't be read")?;
                let max_lifetime = Duration::from_secs(u64::from(u32::MAX));
                let rules = Rules { audience: audience.clone(), issuer: issuer.clone(), max_lifetime };
                check(token.trim(), key, &rules)
            }
        }
    }
}

fn key(algorithm: NewAlgorithm, out: &Path) -> anyhow::Result<()> {
    let key = match algorithm {
        NewAlgorithm::Hs256 => NewKey::secret()?,
        NewAlgorithm::EdDsa => NewKey::ed25519()?,
    };
    write_new(out, &key.private, 0o600)?;
    if let Some(public) = key.public {
        let mut name = out.as_os_str().to_owned();
        name.push(".pub");
        write_new(Path::new(&name), &public, 0o644)?;
    }
    Ok(())
}

/// Writes a file that is not there yet: an old key is in use somewhere.
fn write_new(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let written = file.and_then(|mut file| {
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
        // Half a key would stand in the way of a whole one.
        written.inspect_err(|_| drop(fs::remove_file(path)))
    });
    written.with_context(|| format!("the key can't be written to {}", path.display()))
}

/// The key in this file, which an option names.
fn signing_key(path: &Path, option: &str) -> anyhow::Result<SigningKey> {
    let key = format!("{option} {}", path.display());
    let bytes = fs::read(path).with_context(|| format!("{key}: it can't be read"))?;
    SigningKey::read(&bytes).context(key)
}

impl Create {
    fn token(&self) -> anyhow::Result<String> {
        signing_key(&self.key, "--key")?.sign(&self.claims()?)
    }

    fn claims(&self) -> anyhow::Result<Value> {
        ensure!(!self.ttl.is_zero(), "--ttl has to be longer than nothing");
        let now = Timestamp::now().as_second();
        let expires = i64::try_from(self.ttl.as_secs()).ok().and_then(|ttl| now.checked_add(ttl));
        let mut grants = Map::new();
        let mut grant = |name: &str, value: Option<Value>| value.map(|value| grants.insert(name.to_owned(), value));
        grant("rooms", (!self.room.is_empty()).then(|| json!(self.room)));
        grant("peer_id", self.peer_id.as_ref().map(|id| json!(id)));
        grant("publish", self.no_publish.then_some(json!(false)));
        grant(
            "items",
            self.items.map(|items| json!(items.to_possible_value().map(|value| value.get_name().to_owned()))),
        );
        grant("list", self.list.then_some(json!(true)));
        grant("admin", self.admin.then_some(json!(true)));
        let mut claims = json!({
            "sub": self.sub,
            "aud": self.audience,
            "iat": now,
            "exp": expires.context("--ttl is too long")?,
            "jti": random::text()?,
            "grtc": grants,
        });
        if let Some(issuer) = &self.issuer {
            claims["iss"] = json!(issuer);
        }
        Ok(claims)
    }
}

/// Prints what the token says, claim by claim, and whether it is good.
fn check(token: &str, keys: &[PathBuf], rules: &Rules) -> anyhow::Result<()> {
    ensure!(!token.is_empty(), "there is no token on stdin: grtc-server token check < FILE");
    let token = Token::parse(token)?;
    let mut lines = vec![format!("alg  {}", token.algorithm)];
    if let Some(id) = &token.key_id {
        lines.push(format!("kid  {id}"));
    }
    let said: Map<String, Value> = serde_json::from_slice(token.unverified()).unwrap_or_default();
    lines.extend(said.iter().map(|(claim, value)| format!("{claim:<4} {}", explained(claim, value))));
    print(&lines.join("\n"))?;
    let read = keys.iter().map(|path| either_key(path).with_context(|| format!("--key {}", path.display())));
    let read = read.collect::<anyhow::Result<Vec<Key>>>()?;
    if !keys.is_empty() {
        token.verified(read.iter())?;
    }
    Claims::read(token.unverified())?.check(rules, Timestamp::now())?;
    match keys.is_empty() {
        true => print("good, if it was signed with a key of the server: --key says whether it was with that one"),
        false => print("good"),
    }
}

/// A claim with what its number means.
fn explained(claim: &str, value: &Value) -> String {
    let meaning = match claim {
        "exp" => "it ends",
        "iat" => "it was issued",
        "nbf" => "it begins",
        "sub" => return format!("{value}  whose it is"),
        "aud" => return format!("{value}  whom it is for"),
        "iss" => return format!("{value}  who issued it"),
        "jti" => return format!("{value}  its own id"),
        "grtc" => return format!("{value}  what it allows"),
        _ => return format!("{value}  (not grtc's)"),
    };
    let time = value.as_i64().and_then(|second| Timestamp::from_second(second).ok());
    time.map_or_else(|| format!("{value}  no time"), |time| format!("{value}  {meaning} at {time}"))
}

fn either_key(path: &Path) -> anyhow::Result<Key> {
    let bytes = fs::read(path).context("it can't be read")?;
    match is_pem(&bytes) && !String::from_utf8_lossy(&bytes).contains("PRIVATE KEY-----") {
        true => Key::public(&bytes),
        false => SigningKey::read(&bytes)?.verifying(&bytes),
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => bail!("can't write to stdout: {error}"),
        _ => Ok(()),
    }
}

fn room(text: &str) -> Result<String, String> {
    let entry = serde_json::from_value::<Rooms>(Value::from(text)).map_err(|error| error.to_string());
    entry.map(|_| text.to_owned())
}
