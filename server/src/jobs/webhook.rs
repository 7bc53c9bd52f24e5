//! Delivers jobs to the webhook: one signed POST an attempt, at least once. Who receives it knows a repetition by the job's id.

use std::error::Error;

use reqwest::{Client, StatusCode, Url, header::CONTENT_TYPE};
use ring::hmac;
use serde::Serialize;
use serde_json::value::RawValue;
use std::sync::Arc;
use tracing::warn;

use crate::{
    config::Target,
    limits::DELIVERY_TIMEOUT,
    metrics::{Delivered, Metrics},
    roots,
    store::model::{Item, Job, now, rfc3339},
    telemetry::Occasional,
};

/// The job's id, the same at each attempt.
const DELIVERY: &str = "x-grtc-delivery";
/// `sha256=` and the HMAC of the body, in hex.
const SIGNATURE: &str = "x-grtc-signature";

/// The receiver of all jobs.
pub(crate) struct Webhook {
    client: Client,
    url: Url,
    key: hmac::Key,
    metrics: Arc<Metrics>,
    failures: Occasional,
}

/// What is delivered.
#[derive(Serialize)]
struct Delivery<'a> {
    event: &'static str,
    job_id: i64,
    attempt: i64,
    #[serde(serialize_with = "rfc3339")]
    sent_at: i64,
    item: &'a Item,
    result: &'a RawValue,
}

impl Webhook {
    /// Makes ready to deliver. Nothing is sent yet: a receiver may start later.
    ///
    /// # Errors
    /// When there is nobody to vouch for a receiver that is asked over https.
    pub(crate) fn new(target: Target, metrics: Arc<Metrics>) -> anyhow::Result<Self> {
        let Target { url, key } = target;
        let client = roots::requests(&url, DELIVERY_TIMEOUT)?;
        Ok(Self { client, url, key, metrics, failures: Occasional::new() })
    }

    /// Makes one attempt. Of the answer nothing but its status is looked at.
    ///
    /// # Errors
    /// Why it was not taken: a sentence without the URL, since that may have a secret in it.
    pub(crate) async fn deliver(&self, job: &Job, item: &Item, result: &RawValue) -> Result<(), String> {
        let (job_id, attempt) = (job.id, job.attempts);
        let delivery = Delivery { event: "processed", job_id, attempt, sent_at: now(), item, result };
        let body = serde_json::to_vec(&delivery).map_err(|error| error.to_string())?;
        let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json");
        let request = request.header(DELIVERY, job_id).header(SIGNATURE, signature(&self.key, &body));
        let (outcome, error) = match request.body(body).send().await {
            Ok(answer) if answer.status().is_success() => (Delivered::Taken, None),
            Ok(answer) => (Delivered::Refused, Some(refused(answer.status()))),
            Err(error) => failed(&error),
        };
        self.metrics.webhook_deliveries.inc(outcome);
        let Some(error) = error else { return Ok(()) };
        if let Some(left_out) = self.failures.now() {
            warn!(job.id = job_id, job.attempt = attempt, error, log.left_out = left_out, "a job was not delivered");
        }
        Err(error)
    }
}

/// The signature of a body (RFC 2104), as the header has it.
fn signature(key: &hmac::Key, body: &[u8]) -> String {
    let hex: String = hmac::sign(key, body).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

fn refused(status: StatusCode) -> String {
    match status.is_redirection() {
        true => {
            format!("the webhook answered with {status}: a redirect is not followed, name the URL that it leads to")
        }
        false => format!("the webhook answered with {status} instead of a 2xx"),
    }
}

fn failed(error: &reqwest::Error) -> (Delivered, Option<String>) {
    if error.is_timeout() {
        let text = format!("the webhook did not answer within {} s", DELIVERY_TIMEOUT.as_secs());
        return (Delivered::TimedOut, Some(text));
    }
    let cause = cause(error);
    let text = match error.is_connect() {
        true => format!("the webhook can't be reached: {cause}"),
        false => format!("the connection to the webhook ended without an answer: {cause}"),
    };
    (Delivered::NoAnswer, Some(text))
}

/// What is at the bottom of it; what is above names the URL.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(below) = cause.source() {
        cause = below;
    }
    match cause.downcast_ref::<reqwest::Error>() {
        Some(_) => "the request can't be sent".to_owned(),
        None => cause.to_string(),
    }
}

#[cfg(test)]
mod tests;
