//! The routes of the status page. All of them are GET.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc};

use tokio::net::TcpListener;
use warp::{
    Filter, Reply,
    http::{Response, StatusCode, header},
};

use super::Board;

const PAGE: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Serves the page until the process ends, and says where. `open` lets it answer to any name.
pub(crate) async fn serve(board: Arc<Board>, address: SocketAddr, open: bool) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    tokio::spawn(warp::serve(routes(board, open)).incoming(listener).run());
    Ok(address)
}

/// All routes. Unless it is `open`, only the names of loopback are answered to.
fn routes(
    board: Arc<Board>,
    open: bool,
) -> impl Filter<Extract = (impl Reply,), Error = Infallible> + Clone + Send + Sync + 'static {
    warp::method()
        .and(warp::path::full())
        .and(warp::header::optional::<String>("host"))
        .then(move |method: warp::http::Method, path: warp::path::FullPath, host: Option<String>| {
            let board = Arc::clone(&board);
            async move {
                match method == warp::http::Method::GET || method == warp::http::Method::HEAD {
                    _ if !open && !host.is_some_and(|host| is_loopback(&host)) => {
                        text(StatusCode::FORBIDDEN, "this page answers to the names of loopback only\n")
                    }
                    true => answer(&board, path.as_str()).await,
                    false => text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n"),
                }
            }
        })
        .recover(|_| async { Ok::<_, Infallible>(text(StatusCode::BAD_REQUEST, "bad request\n")) })
        .unify()
}

async fn answer(board: &Board, path: &str) -> Response<String> {
    match path {
        "/" => reply(StatusCode::OK, "text/html; charset=utf-8", PAGE.to_owned()),
        "/page.js" => reply(StatusCode::OK, "text/javascript; charset=utf-8", SCRIPT.to_owned()),
        "/page.css" => reply(StatusCode::OK, "text/css; charset=utf-8", STYLE.to_owned()),
        "/health" => {
            reply(StatusCode::OK, "application/json", r#"{"status":"healthy","service":"grtc-peer"}"#.to_owned())
        }
        "/status.json" => match serde_json::to_string(&board.snapshot().await) {
            Ok(json) => reply(StatusCode::OK, "application/json", json),
            Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "no status\n"),
        },
        _ => text(StatusCode::NOT_FOUND, "there is only /, /status.json and /health\n"),
    }
}

fn text(status: StatusCode, text: &str) -> Response<String> {
    reply(status, "text/plain; charset=utf-8", text.to_owned())
}

fn reply(status: StatusCode, kind: &str, body: String) -> Response<String> {
    let response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, kind)
        .header(header::CONTENT_SECURITY_POLICY, POLICY)
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::REFERRER_POLICY, "no-referrer")
        .header(header::CACHE_CONTROL, "no-store")
        .header("cross-origin-resource-policy", "same-origin")
        .body(body);
    response.unwrap_or_default()
}

/// Whether a `Host` names loopback, with or without a port.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let ip = name.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    name.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn serves_the_page_under_a_strict_policy() {
        let routes = routes(Board::new(), false);
        for (path, kind) in [
            ("/", "text/html"),
            ("/page.js", "text/javascript"),
            ("/page.css", "text/css"),
            ("/status.json", "application/json"),
            ("/health", "application/json"),
        ] {
            let response = warp::test::request().path(path).header("host", "127.0.0.1:7900").reply(&routes).await;
            assert_eq!(response.status(), 200, "{path}");
            assert!(response.headers()["content-type"].to_str().unwrap().starts_with(kind), "{path}");
            let policy = response.headers()["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}");
        }
        let response = warp::test::request().path("/x").header("host", "localhost").reply(&routes).await;
        assert_eq!(response.status(), 404);
        let post = warp::test::request().method("POST").path("/").header("host", "localhost").reply(&routes).await;
        assert_eq!(post.status(), 405);
    }

    #[tokio::test]
    async fn answers_only_to_loopback_unless_open() {
        let foreign = |routes| async move {
            warp::test::request().path("/status.json").header("host", "evil.example").reply(&routes).await.status()
        };
        assert_eq!(foreign(routes(Board::new(), false)).await, 403);
        assert_eq!(foreign(routes(Board::new(), true)).await, 200);
        for host in ["localhost", "LOCALHOST:7900", "127.0.0.1", "127.8.9.1:1", "[::1]:7900", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "0.0.0.0", "::2"] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn the_page_has_no_inline_script_or_style_and_no_innerhtml() {
        assert!(!PAGE.contains("<style") && !PAGE.contains(" style=") && !PAGE.contains(" onload"));
        assert!(PAGE.matches("<script").count() == 1 && PAGE.contains("<script src=\"page.js\""));
        for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
            assert!(!SCRIPT.contains(sink), "{sink}");
        }
    }
}
