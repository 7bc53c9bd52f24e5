//! What somebody who asks gets.

use grtc_protocol::{CloseCode, client::Kind, report::Report};

use super::*;

/// The lines that begin like this.
fn lines<'a>(text: &'a str, begin: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.starts_with(begin)).collect()
}

#[test]
fn counters_are_there_from_the_start_and_count() {
    let metrics = Metrics::new();
    metrics.messages.inc(Some(Kind::Offer));
    metrics.message_bytes.add(Direction::Out, 7);
    metrics.limited.inc(Limit::JoinRate);
    metrics.close(None);
    metrics.close(Some(CloseCode::TooSlow));
    metrics.request("/rooms", &hyper::Method::GET, 200, 0.002);
    metrics.request("/rooms", &hyper::Method::from_bytes(b"FORGED").unwrap(), 405, 0.002);
    let report = r#"{"type":"report","peer_id":"b","result":"connected","pair":{"local":"host","remote":"relay","protocol":"udp"},"timings_ms":{"total":250.5}}"#;
    metrics.pair(&Report::parse(report).unwrap());
    let text = metrics.text();
    for line in [
        "grtc_messages_total{type=\"offer\"} 1",
        "grtc_messages_total{type=\"invalid\"} 0",
        "grtc_message_bytes_total{direction=\"out\"} 7",
        "grtc_limited_total{limit=\"join_rate\"} 1",
        "grtc_limited_total{limit=\"max_rooms\"} 0",
        "grtc_closes_total{code=\"1006\"} 1",
        "grtc_closes_total{code=\"4008\"} 1",
        "grtc_http_requests_total{route=\"/rooms\",method=\"GET\",status=\"200\"} 1",
        "grtc_http_requests_total{route=\"/rooms\",method=\"other\",status=\"405\"} 1",
        "grtc_http_request_seconds_bucket{le=\"0.0025\"} 2",
        "grtc_pairs_total{result=\"connected\",local=\"host\",remote=\"relay\",protocol=\"udp\"} 1",
        "grtc_pair_connect_seconds_bucket{le=\"0.4\"} 1",
        "grtc_auth_failures_total{reason=\"token_expired\"} 0",
        "# TYPE grtc_messages_total counter",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
    assert_eq!(lines(&text, "grtc_build_info").len(), 1, "{text}");
    assert_eq!(lines(&text, "process_").len(), 6, "{text}");
}

#[test]
fn every_metric_is_documented() {
    let documented = include_str!("../../../docs/OPERATIONS.md");
    let text = Metrics::new().text();
    for line in lines(&text, "# TYPE ") {
        let name = line.split(' ').nth(2).unwrap();
        assert!(documented.contains(&format!("`{name}")), "{name} in docs/OPERATIONS.md");
    }
}

/// The words of a file that are names of metrics.
fn named(text: &str) -> std::collections::BTreeSet<&str> {
    let words = text.split(|letter: char| !letter.is_ascii_lowercase() && letter != '_');
    words.filter(|word| word.starts_with("grtc_") || word.starts_with("process_")).collect()
}

#[test]
fn alerts_and_the_dashboard_ask_for_what_there_is() {
    let metrics = Metrics::new();
    metrics.request("/", &hyper::Method::GET, 200, 0.0);
    metrics.close(None);
    metrics.pair(&Report::parse(r#"{"result":"failed"}"#).unwrap());
    let text = metrics.text();
    let files =
        [include_str!("../../../deploy/prometheus/alerts.yml"), include_str!("../../../deploy/grafana/grtc.json")];
    for name in files.into_iter().flat_map(named) {
        let is_there = |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']));
        assert!(text.lines().any(is_there), "{name}");
    }
}
