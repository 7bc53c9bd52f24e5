//! The options of the webhook.

use std::path::PathBuf;

use clap::Args;

use crate::config::{WebhookConfig, WebhookUrl};

/// Whom jobs are delivered to.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Webhook")]
pub(super) struct WebhookArgs {
    /// Deliver each job, with its item and the result, to this URL (http or https) by a signed POST; only a 2xx ends it. With
    /// --webhook-secret-file
    #[arg(long, env = "GRTC_WEBHOOK_URL", value_name = "URL", hide_env_values = true, hide_default_value = true)]
    webhook_url: Option<WebhookUrl>,
    /// The file with the secret that signs deliveries: its bytes, without a final line feed, 32 at least. `grtc-server token key
    /// --out FILE` makes one
    #[arg(long, env = "GRTC_WEBHOOK_SECRET_FILE", value_name = "FILE")]
    webhook_secret_file: Option<PathBuf>,
}

impl From<WebhookArgs> for WebhookConfig {
    fn from(args: WebhookArgs) -> Self {
        Self { webhook_url: args.webhook_url, webhook_secret_file: args.webhook_secret_file }
    }
}
