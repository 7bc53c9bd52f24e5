//! Entity tags (RFC 9110 section 8.8.3) and the conditions that name them: of items and of the page's files.

use headers::{ETag, HeaderMapExt, IfMatch, IfNoneMatch};
use hyper::{
    HeaderMap, StatusCode,
    header::{HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH},
};
use warp::reply::Response;

use crate::{
    error::ApiError,
    store::model::{Condition, etag},
};

/// A tag of a text that has no quotes in it.
pub(super) fn tag(text: &str) -> Result<ETag, ApiError> {
    format!("\"{text}\"").parse().map_err(|_| ApiError::internal(format!("{text:?} can't be an entity tag")))
}

/// Whether these can be tags of ours at all: in quotes is only what is visible ASCII. (`headers` takes anything else for a
/// fault of its own, and panics where debug assertions are on; so it is asked after this.) Several header lines are one
/// list, in which a quote may begin in one and end in the next.
fn are_tags(headers: &HeaderMap, name: &HeaderName) -> bool {
    let lines: Vec<_> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    let is_tag = |inside: &[u8]| inside.iter().all(u8::is_ascii_graphic);
    lines.join(&b", "[..]).split(|byte| *byte == b'"').skip(1).step_by(2).all(is_tag)
}

/// The versions that a request is for (`If-Match`). A tag that no item has names none.
pub(super) fn condition(headers: &HeaderMap) -> Condition {
    if !are_tags(headers, &IF_MATCH) {
        return Condition::of(|_| false);
    }
    match headers.typed_get::<IfMatch>().filter(|tags| !tags.is_any()) {
        None => Condition::always(),
        Some(tags) => {
            Condition::of(move |version| etag(version).parse().is_ok_and(|tag: ETag| tags.precondition_passes(&tag)))
        }
    }
}

/// The answer to who has this already (`If-None-Match`), also by a tag that a proxy has made weak.
pub(super) fn not_modified(headers: &HeaderMap, tag: &ETag) -> Option<Response> {
    let known = are_tags(headers, &IF_NONE_MATCH).then(|| headers.typed_get::<IfNoneMatch>()).flatten();
    known.is_some_and(|known| !known.precondition_passes(tag)).then(|| {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        set(&mut response, tag);
        response
    })
}

/// Gives the response its tag.
pub(super) fn set(response: &mut Response, tag: &ETag) {
    response.headers_mut().typed_insert(tag.clone());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &HeaderName, values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), HeaderValue::from_bytes(value.as_bytes()).unwrap())).collect()
    }

    #[test]
    fn reads_the_versions_that_a_change_is_for() {
        let holds = |values: &[&str], version| condition(&headers(&IF_MATCH, values)).holds(version);
        assert!(holds(&[], 7) && holds(&["*"], 7));
        assert!(holds(&["\"1\", \"22\""], 22) && holds(&["\"1\"", "\"22\""], 1) && !holds(&["\"1\", \"22\""], 2));
        for nothing in ["", "1", "\"x\"", "W/\"1\"", "\"1", "\"é\"", "\"1 \"", "\"01\""] {
            assert!(!holds(&[nothing], 1), "{nothing}");
        }
        assert!(!holds(&["\"1", "1\""], 1) && !holds(&["\"1\"\u{e9}"], 1));
    }

    #[test]
    fn knows_what_a_client_has() {
        let one = tag("1").unwrap_or_else(|_| panic!("no tag"));
        let known = |values: &[&str]| not_modified(&headers(&IF_NONE_MATCH, values), &one).is_some();
        assert!(known(&["\"2\", W/\"1\""]) && known(&["\"1\""]) && known(&["*"]));
        assert!(!known(&["\"2\""]) && !known(&[]) && !known(&["1"]) && !known(&["\"1\", \"2 \""]));
    }
}
