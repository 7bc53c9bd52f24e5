//! `GET /`, the page, `GET /admin`, the one for administrators, and their assets under `/static/`: from the binary, or from a folder while working on them.

use std::{borrow::Cow, sync::Arc};

use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
};
use percent_encoding::percent_decode_str;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use warp::{Filter, filters::BoxedFilter, path, path::Tail, reply::Response};

use super::{
    answer::moved,
    context::Context,
    etag::{not_modified, set, tag},
};
use crate::{
    error::ApiError,
    gate::Needs,
    route::{Request, Route, fixed},
};

#[derive(RustEmbed)]
#[folder = "../web"]
#[include = "index.html"]
#[include = "admin.html"]
#[include = "favicon.svg"]
#[include = "css/*"]
#[include = "js/*"]
#[include = "i18n/*"]
#[include = "images/*"]
struct Embedded;

/// What a browser may do on the page: run and load what the page brought along, nothing inline, and talk to this
/// server or to another one's WebSocket.
const POLICY: &str = "default-src 'self'; connect-src 'self' ws: wss:; object-src 'none'; frame-ancestors 'none'; \
                      base-uri 'none'; form-action 'self'";

/// The folders and files that are there to be served; a folder of the page may hold others, as its tests.
const SERVED: [&str; 5] = ["css", "js", "i18n", "images", "favicon.svg"];

pub(super) fn routes(context: &Arc<Context>) -> Vec<Route> {
    let assets = warp::path("static").and(warp::path::tail());
    vec![
        page("/", fixed(warp::path::end()).boxed(), context, |path| (path.ends_with('/'), "/", "index.html")),
        // Beside the page: a slash at the end would put the links below.
        page("/admin", fixed(path!("admin")).boxed(), context, |path| (!path.ends_with('/'), "/admin", "admin.html")),
        page("/favicon.ico", fixed(path!("favicon.ico")).boxed(), context, |_| (true, "/favicon.ico", "favicon.svg")),
        Route::new(
            "/static/…",
            |_, _| Needs::Public,
            assets,
            context,
            async |context, tail: Tail, request| {
                let name = asset_name(tail.as_str()).ok_or_else(|| ApiError::not_found("there is no such file"))?;
                reply(&context, &name, &request).await
            },
        ),
    ]
}

/// A file at a path of its own. Its links are relative: `at` says whether the path is the one that they go from, which one
/// that is, and the file.
fn page(
    name: &'static str,
    path: BoxedFilter<((),)>,
    context: &Arc<Context>,
    at: fn(&str) -> (bool, &'static str, &'static str),
) -> Route {
    Route::new(
        name,
        |_, ()| Needs::Public,
        path,
        context,
        move |context, (), request: Request| async move {
            match at(request.head.uri.path()) {
                (true, _, file) => reply(&context, file, &request).await,
                (false, path, _) => Ok(moved(path)),
            }
        },
    )
}

/// The name of a file that may be served: plain segments only, so that it can't lead anywhere else.
fn asset_name(raw: &str) -> Option<String> {
    let name = percent_decode_str(raw).decode_utf8().ok()?;
    let plain = |segment: &str| {
        !segment.is_empty()
            && !segment.starts_with('.')
            && segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    };
    let first = name.split('/').next()?;
    (SERVED.contains(&first) && name.split('/').all(plain)).then(|| name.into_owned())
}

async fn reply(context: &Context, name: &str, request: &Request) -> Result<Response, ApiError> {
    ApiError::only_reads(&request.head.method)?;
    let file: Option<(Cow<'static, [u8]>, String)> = match &context.web_dir {
        Some(dir) => tokio::fs::read(dir.join(name)).await.ok().map(|data| {
            let tag = Sha256::digest(&data);
            (data.into(), tag.iter().take(12).map(|byte| format!("{byte:02x}")).collect())
        }),
        None => Embedded::get(name).map(|file| {
            let tag = file.metadata.sha256_hash();
            (file.data, tag.iter().take(12).map(|byte| format!("{byte:02x}")).collect())
        }),
    };
    let (data, digest) = file.ok_or_else(|| ApiError::not_found("there is no such file"))?;
    asset(name, data, &digest, &request.head.headers)
}

fn asset(name: &str, data: Cow<'static, [u8]>, digest: &str, asked: &HeaderMap) -> Result<Response, ApiError> {
    let tag = tag(digest)?;
    let mut response = not_modified(asked, &tag).unwrap_or_else(|| Response::new(data.into_owned().into()));
    set(&mut response, &tag);
    let headers = response.headers_mut();
    let mut add = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    };
    add(CACHE_CONTROL, "no-cache");
    add(CONTENT_TYPE, content_type(name));
    add(CONTENT_SECURITY_POLICY, POLICY);
    add(REFERRER_POLICY, "no-referrer");
    Ok(response)
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::asset_name;

    #[test]
    fn files_of_the_page_have_plain_names() {
        for name in ["js/main.js", "js/ui/chat-panel.js", "favicon.svg", "css/app.css"] {
            assert_eq!(asset_name(name).as_deref(), Some(name));
        }
    }

    #[test]
    fn no_name_leads_anywhere_else() {
        for name in [
            "",
            "/",
            "..",
            "js/../../Cargo.toml",
            "%2e%2e/Cargo.toml",
            "js/%2e%2e/%2e%2e/x",
            "js%2f..%2f..%2fx",
            "js\\..\\x",
            "js/%5c..%5cx",
            "js/a%00.js",
            "//etc/passwd",
            "js//etc/passwd",
            "%252e%252e/x",
            "index.html",
            "test/unit/a.js",
            "node_modules/ws/index.js",
            "package.json",
            "js/.hidden",
            "js/%ff",
        ] {
            assert_eq!(asset_name(name), None, "{name}");
        }
    }
}
