//! A certificate that is renewed in its files, by whatever program does that, without a restart.

use std::{sync::Arc, time::Duration};

use tokio::{task::spawn_blocking, time::sleep};
use tracing::{info, warn};

use super::certificate::{Certificates, Files, until};

/// How often the files are looked at. What has changed is taken at the look after that, so that a pair is not taken in halves.
const LOOK: Duration = Duration::from_secs(2);

/// Looks at the files for ever, and shows what they have become. What can't be used is told once, and the one before stays.
pub(crate) async fn follow(files: Files, certificates: Arc<Certificates>) {
    let mut taken = read(&files).await;
    let mut seen = taken.clone();
    loop {
        sleep(LOOK).await;
        let now = read(&files).await;
        let settled = now == std::mem::replace(&mut seen, now.clone());
        if !settled || now == taken {
            continue;
        }
        let parsed = match &now {
            Ok(texts) => files.parse(texts).map_err(|error| error.to_string()),
            Err(error) => Err(error.clone()),
        };
        match parsed {
            Ok(certificate) => {
                let until = until(&certificate).map(|until| until.to_string());
                certificates.show(certificate);
                info!(
                    certificate.until = until,
                    "the certificate has changed: who connects from now on gets the new one"
                );
            }
            Err(error) => warn!(%error, "the new certificate can't be used; the one before stays"),
        }
        taken = now;
    }
}

/// What stands in the files, or the sentence why nothing can be read.
async fn read(files: &Files) -> Result<super::certificate::Texts, String> {
    let files = files.clone();
    let read = spawn_blocking(move || files.read()).await;
    read.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}
