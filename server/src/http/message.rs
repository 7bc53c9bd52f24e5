//! What RFC 9112 has a server refuse or read in one way, and hyper leaves to the server.

use hyper::{
    Method, Request, StatusCode, Version,
    header::{ALLOW, HOST, HeaderValue},
    http::uri::Authority,
};
use warp::reply::Response;

use crate::error::ApiError;

/// Checks `Host` and the form of the target. Afterwards `Host` is what the request is for.
///
/// # Errors
/// The answer, where the request goes no further.
pub(super) fn check<B>(request: &mut Request<B>) -> Result<(), Box<Response>> {
    host(request).map_err(|error| Box::new(error.response()))?;
    match (request.uri().path(), request.method()) {
        ("*", &Method::OPTIONS) => Err(Box::new(methods())),
        ("*", _) => Err(Box::new(ApiError::bad_request("bad_target", "* is a target for OPTIONS alone").response())),
        _ => Ok(()),
    }
}

/// RFC 9112, section 3.2.
fn host<B>(request: &mut Request<B>) -> Result<(), ApiError> {
    let bad = |text| Err(ApiError::bad_request("bad_host", text));
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        // HTTP/2 has the target's own instead (RFC 9113 section 8.3.1).
        (None, _) if request.version() == Version::HTTP_2 && request.uri().authority().is_some() => {}
        (None, _) if request.version() >= Version::HTTP_11 => return bad("HTTP/1.1 takes a Host header"),
        (Some(_), Some(_)) => return bad("there may be one Host header"),
        (Some(host), None) if !host.is_empty() && Authority::try_from(host.as_bytes()).is_err() => {
            return bad("Host has to be a host and maybe a port");
        }
        _ => {}
    }
    // A target in absolute form counts, and not what Host says beside it.
    let target = request.uri().authority().and_then(|target| HeaderValue::try_from(target.as_str()).ok());
    if let Some(target) = target {
        request.headers_mut().insert(HOST, target);
    }
    Ok(())
}

/// `OPTIONS *`: what the server takes at all.
fn methods() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(request: hyper::http::request::Builder) -> Result<Option<String>, u16> {
        let mut request = request.body(()).unwrap();
        check(&mut request).map_err(|response| response.status().as_u16())?;
        Ok(request.headers().get(HOST).map(|host| host.to_str().unwrap().to_owned()))
    }

    #[test]
    fn there_is_one_host_and_it_is_what_the_target_says() {
        assert_eq!(checked(Request::get("/")), Err(400));
        assert_eq!(checked(Request::get("/").header(HOST, "a").header(HOST, "a")), Err(400));
        assert_eq!(checked(Request::get("/").header(HOST, "a b")), Err(400));
        assert_eq!(checked(Request::get("/").version(Version::HTTP_10)), Ok(None));
        assert_eq!(checked(Request::get("/").header(HOST, "a:1")), Ok(Some("a:1".into())));
        assert_eq!(checked(Request::get("http://b:2/").header(HOST, "a")), Ok(Some("b:2".into())));
        assert_eq!(checked(Request::get("https://b:2/").version(Version::HTTP_2)), Ok(Some("b:2".into())));
        assert_eq!(checked(Request::get("/").version(Version::HTTP_2)), Err(400));
        assert_eq!(checked(Request::get("*").header(HOST, "a")), Err(400));
        assert_eq!(checked(Request::options("*").header(HOST, "a")), Err(204));
    }
}
