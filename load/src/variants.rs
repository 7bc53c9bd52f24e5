//! The same server in three ways, so that one run can tell what keys, limits and TLS cost.

use std::{ffi::OsString, fs};

use anyhow::Context;
use grtc_server::limits::TABLE;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;

use crate::{process::empty_directory, server_args::ServerArgs};

/// One way to run the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Without keys, every limit off.
    Open,
    /// With a key and a token for each client, every limit at its default.
    Keys,
    /// The same over TLS.
    Tls,
}

/// All of them, each after what it is compared with.
pub const ALL: [Variant; 3] = [Variant::Open, Variant::Keys, Variant::Tls];

/// A key and a certificate of this run's own, in files that go with it.
#[derive(Debug)]
pub struct Variants {
    base: ServerArgs,
    files: TempDir,
}

impl Variant {
    /// As measurements are called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Keys => "keys",
            Self::Tls => "tls",
        }
    }
}

impl Variants {
    /// Of the server that `base` starts.
    ///
    /// # Errors
    /// When it names a running server, or says itself how clients get in.
    pub fn new(base: &ServerArgs) -> anyhow::Result<Self> {
        let is_own = base.url.is_none() && base.ca.is_none() && base.token_file.is_none();
        anyhow::ensure!(
            is_own && base.auth_secret_file.is_none(),
            "it starts its servers itself: leave --url, --auth-secret-file, --token-file and --ca away"
        );
        let files = empty_directory()?;
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["127.0.0.1".to_owned()])?;
        let secret: String = std::iter::repeat_with(fastrand::alphanumeric).take(64).collect();
        for (name, text) in [("key", secret), ("cert.pem", cert.pem()), ("cert-key.pem", signing_key.serialize_pem())] {
            fs::write(files.path().join(name), text).with_context(|| format!("can't write {name}"))?;
        }
        Ok(Self { base: base.clone(), files })
    }

    /// What starts the server in this way.
    #[must_use]
    pub fn of(&self, variant: Variant) -> ServerArgs {
        let mut args = self.base.clone();
        let file = |name| self.files.path().join(name);
        args.limit(variant != Variant::Open);
        if variant != Variant::Open {
            args.auth_secret_file = Some(file("key"));
        }
        if variant == Variant::Tls {
            args.server_arg.extend(["--tls-cert".into(), file("cert.pem").into()]);
            args.server_arg.extend(["--tls-key".into(), file("cert-key.pem").into()]);
            args.ca = Some(file("cert.pem"));
        }
        args
    }
}

impl ServerArgs {
    /// Adds every limit at its default, or switched off, that is not among the arguments already.
    pub fn limit(&mut self, on: bool) {
        let given: Vec<_> = self.server_arg.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
        let named = |flag: &str| {
            given
                .iter()
                .filter_map(|arg| arg.strip_prefix(flag))
                .any(|rest| matches!(rest.chars().next(), None | Some('=')))
        };
        let missing = TABLE.iter().filter(|entry| !named(&entry.flag()));
        let limits: Vec<OsString> = missing
            .flat_map(|entry| [entry.flag(), if on { entry.default } else { 0 }.to_string()])
            .map(OsString::from)
            .collect();
        self.server_arg.extend(limits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_was_named_stays_as_it_is() {
        let mut args = ServerArgs { server_arg: vec!["--max-rooms=7".into()], ..ServerArgs::default() };
        args.limit(false);
        let count = |name: &str| args.server_arg.iter().filter(|arg| arg.to_string_lossy().starts_with(name)).count();
        assert_eq!([count("--max-rooms"), count("--max-room-peers")], [1, 1]);
        assert_eq!(args.server_arg.len(), 1 + 2 * (TABLE.len() - 1));
    }

    #[test]
    fn each_way_adds_to_the_one_before() {
        let variants = Variants::new(&ServerArgs::default()).unwrap();
        let [open, keys, tls] = ALL.map(|variant| variants.of(variant));
        assert!(open.auth_secret_file.is_none() && keys.auth_secret_file.is_some() && keys.ca.is_none());
        assert!(tls.auth_secret_file == keys.auth_secret_file && tls.ca.is_some());
        assert!(tls.server_arg.contains(&"--tls-cert".into()));
        let running = ServerArgs { ca: Some("ca.pem".into()), ..ServerArgs::default() };
        assert!(Variants::new(&running).is_err());
    }
}
