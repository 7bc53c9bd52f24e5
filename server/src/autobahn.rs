//! Autobahn's test suite for WebSocket against this server's own stack: accepted, upgraded and served as ever, but that a
//! session sends each text back. `scripts/test autobahn` runs it.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{net::TcpListener, process::Command};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    base_path::BasePath,
    budget::Budget,
    gate::Gate,
    http::{doorkeeper::Doorkeeper, serve::Server},
    hub::{caps::Caps, pool::Pool, registry::Registry},
    ice::IceServers,
    limits::{Values, limiter::Limiter},
    listen,
    metrics::Metrics,
    route, ws,
};

/// Cases with binary messages, with messages over 64 KiB, and with compression: grtc takes none of them.
const EXCLUDED: [&str; 4] = ["1.2.*", "9.*", "12.*", "13.*"];

/// A text that is no UTF-8 is refused once its frame is whole, which is late for a frame that comes in pieces.
const FRAME_BY_FRAME: [&str; 2] = ["6.4.3", "6.4.4"];

/// A session that sends each text back.
fn context() -> ws::Context {
    ws::Context {
        registry: Registry::new(IceServers::new(&[], None, None).unwrap(), Duration::ZERO, Pool::new(0), Caps::none()),
        auth: None,
        limits: Values::none(),
        metrics: Arc::new(Metrics::new()),
        echo: true,
    }
}

#[tokio::test]
#[allow(clippy::disallowed_methods, reason = "the test's own switch")]
#[ignore = "takes half a minute, and Autobahn's wstest (GRTC_WSTEST)"]
async fn no_case_fails() {
    let wstest = PathBuf::from(std::env::var_os("GRTC_WSTEST").expect("GRTC_WSTEST names Autobahn's wstest"));
    let sockets = ws::upgrade::route(&ws::upgrade::Sockets {
        context: context(),
        limiter: Limiter::none(),
        tasks: TaskTracker::new(),
    });
    let stop = CancellationToken::new();
    let gate = Gate::new(Vec::new(), true, stop.clone());
    let routes = route::table(gate, Limiter::none(), BasePath::default(), vec![sockets]);
    let server = Server::new(routes, Doorkeeper::none(100), Budget::new(), None, None, None, stop);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws/autobahn", listener.local_addr().unwrap());
    let accepting =
        tokio::spawn(listen::accept(listener, move |wire, remote| server.start(wire, remote, listen::Takes::Http)));

    let directory = tempfile::tempdir().unwrap();
    let spec = json!({
        "outdir": directory.path().join("reports"),
        "servers": [{"agent": "grtc", "url": url}],
        "cases": ["*"], "exclude-cases": EXCLUDED, "exclude-agent-cases": {},
    });
    std::fs::write(directory.path().join("spec.json"), spec.to_string()).unwrap();
    let since = Instant::now();
    let mut command = Command::new(wstest);
    command.args(["-m", "fuzzingclient", "-s", "spec.json"]).current_dir(directory.path());
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = std::fs::read(directory.path().join("reports/index.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    let cases = report["grtc"].as_object().unwrap();
    let good = |name: &str, case: &Value| {
        ["behavior", "behaviorClose"].iter().all(|kind| match case[kind].as_str() {
            Some("NON-STRICT") => FRAME_BY_FRAME.contains(&name),
            behavior => matches!(behavior, Some("OK" | "INFORMATIONAL")),
        })
    };
    let bad: Vec<_> =
        cases.iter().filter(|(name, case)| !good(name, case)).map(|(name, case)| format!("{name}: {case}")).collect();
    println!("{} cases passed in {:?}", cases.len() - bad.len(), since.elapsed());
    assert!(cases.len() > 200 && bad.is_empty(), "{} of {}:\n{}", bad.len(), cases.len(), bad.join("\n"));
    accepting.abort();
}
