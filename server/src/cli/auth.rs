//! The options that say who may come in.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use crate::{
    auth::{AuthConfig, JwksSource},
    duration,
};

/// Authentication is on as soon as one of the keys is given: nobody gets in without a token then.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Who may come in")]
pub(super) struct AuthArgs {
    /// The file with the secret that tokens are signed with (HS256): its bytes, without a final line feed, 32 at least.
    /// `grtc-server token key --out FILE` makes one
    #[arg(long, env = "GRTC_AUTH_SECRET_FILE", value_name = "FILE")]
    auth_secret_file: Option<PathBuf>,
    /// A public key in PEM that tokens are checked with: Ed25519 (EdDSA), P-256 (ES256) or RSA from 2,048 bits (RS256);
    /// repeatable
    #[arg(long, env = "GRTC_AUTH_PUBLIC_KEY", value_name = "FILE", value_delimiter = ',')]
    auth_public_key: Vec<PathBuf>,
    /// A JSON Web Key Set that tokens are checked with: a file, or an https URL. Read anew every 5 minutes, and for a key that
    /// is not in it at most every 10 s
    #[arg(long, env = "GRTC_AUTH_JWKS", value_name = "FILE|URL")]
    auth_jwks: Option<JwksSource>,
    /// What tokens have to have as their audience (aud)
    #[arg(long, env = "GRTC_AUTH_AUDIENCE", default_value_t = AuthConfig::default().auth_audience, value_name = "TEXT")]
    auth_audience: String,
    /// What tokens have to have as their issuer (iss); not looked at unless given
    #[arg(long, env = "GRTC_AUTH_ISSUER", value_name = "TEXT")]
    auth_issuer: Option<String>,
    /// How long a token may be good for at most, as 24h or 15m
    #[arg(long, env = "GRTC_AUTH_MAX_LIFETIME", default_value = "24h", value_parser = duration::duration, value_name = "TIME")]
    auth_max_lifetime: Duration,
}

impl From<AuthArgs> for AuthConfig {
    fn from(args: AuthArgs) -> Self {
        Self {
            auth_secret_file: args.auth_secret_file,
            auth_public_key: args.auth_public_key,
            auth_jwks: args.auth_jwks,
            auth_audience: args.auth_audience,
            auth_issuer: args.auth_issuer,
            auth_max_lifetime: args.auth_max_lifetime,
        }
    }
}
