//! What somebody who is refused is told.

use hyper::{StatusCode, header::HeaderValue};

use crate::{error::ApiError, origin::Origin};

/// What of a header's value is repeated: what a client sends is not to fill the log.
const SHOWN_CHARS: usize = 100;

pub(super) fn host(host: Option<&str>) -> ApiError {
    let text = format!(
        "this server listens on loopback alone and answers to names of loopback alone, as 127.0.0.1; Host is {}. A proxy \
         in front of it has to send its address as Host",
        shown(host)
    );
    ApiError::new(StatusCode::FORBIDDEN, "host_not_allowed", text)
}

pub(super) fn origin(origin: &HeaderValue, host: Option<&str>, allowed: &[Origin]) -> ApiError {
    let allowed: Vec<_> = allowed.iter().map(Origin::to_string).collect();
    let others = if allowed.is_empty() { "none".to_owned() } else { allowed.join(", ") };
    let text = format!(
        "Origin {} is not this server's own, which Host says is {}, nor one of --allow-origin ({others}). A proxy in front \
         of it has to hand on the Host that the browser sent, its port included",
        shown(origin.to_str().ok()),
        shown(host)
    );
    ApiError::new(StatusCode::FORBIDDEN, "origin_not_allowed", text)
}

/// A header's value, escaped and cut.
fn shown(value: Option<&str>) -> String {
    match value {
        None => "not there".to_owned(),
        Some(value) if value.chars().count() > SHOWN_CHARS => {
            format!("{:?}…", value.chars().take(SHOWN_CHARS).collect::<String>())
        }
        Some(value) => format!("{value:?}"),
    }
}
