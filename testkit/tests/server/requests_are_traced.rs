//! A collector of OpenTelemetry is told a span for each request, and costs the server nothing when it does not take them.

use std::time::{Duration, Instant};

use grtc_testkit::{Launch, Received, Receiver, ServerProcess};
use hyper::Method;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use prost::Message;

/// Spans go out this often here, in milliseconds.
const SOON: (&str, &str) = ("OTEL_BSP_SCHEDULE_DELAY", "50");

async fn server(endpoint: &str) -> anyhow::Result<ServerProcess> {
    let arguments = ["--otlp-endpoint", endpoint];
    ServerProcess::launch(&Launch { arguments: &arguments, environment: &[SOON], ..Launch::default() }).await
}

fn attribute(attributes: &[KeyValue], key: &str) -> Option<String> {
    let value = attributes.iter().find(|attribute| attribute.key == key)?.value.clone()?.value?;
    match value {
        Value::StringValue(text) => Some(text),
        Value::IntValue(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The spans in a request to the collector, with the name of the service.
fn spans(received: &Received) -> anyhow::Result<Vec<(String, Span)>> {
    let mut spans = Vec::new();
    for resource in ExportTraceServiceRequest::decode(received.body.clone())?.resource_spans {
        let service = attribute(&resource.resource.unwrap_or_default().attributes, "service.name").unwrap_or_default();
        spans
            .extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans).map(|span| (service.clone(), span)));
    }
    Ok(spans)
}

/// The next span; the collector takes what it is told.
async fn next(collector: &mut Receiver) -> anyhow::Result<Span> {
    let received = collector.next().await?;
    assert_eq!(
        (received.path.as_str(), received.header("content-type")),
        ("/v1/traces", Some("application/x-protobuf"))
    );
    let text = String::from_utf8_lossy(&received.body).into_owned();
    assert!(!text.contains("canary"), "{text}");
    let mut spans = spans(&received)?;
    received.answer(200, &[])?;
    anyhow::ensure!(spans.len() == 1 && spans[0].0 == "grtc-server", "{spans:?}");
    Ok(spans.remove(0).1)
}

#[tokio::test]
async fn a_span_has_the_route_the_outcome_and_the_clients_span() -> anyhow::Result<()> {
    let mut collector = Receiver::start().await?;
    let server = server(&format!("http://{}", collector.address())).await?;
    let parent = ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    for (method, path, name, status, headers) in [
        (Method::GET, "/api/items/?limit=canary", "GET /api/items/", "422", &[parent][..]),
        (Method::GET, "/api/items/7", "GET /api/items/{item_id}", "404", &[("authorization", "Bearer canary")]),
        (Method::POST, "/canary/path", "POST other", "404", &[("traceparent", "00-canary")]),
        (Method::from_bytes(b"CANARY")?, "/rooms", "_OTHER /rooms", "405", &[]),
    ] {
        let answer = server.http().send(method, path, headers, None).await?;
        assert_eq!(answer.status.to_string(), status, "{path}");
        let span = next(&mut collector).await?;
        assert_eq!((span.name.as_str(), span.kind()), (name, SpanKind::Server));
        for (key, value) in [
            ("http.response.status_code", status),
            ("http.route", name.split(' ').next_back().unwrap_or_default()),
            ("http.request.method", name.split(' ').next().unwrap_or_default()),
            ("request.id", answer.header("x-request-id").unwrap_or_default()),
        ] {
            assert_eq!(attribute(&span.attributes, key).as_deref(), Some(value), "{key}");
        }
        let is_child = span.trace_id == 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes()
            && span.parent_span_id == 0xb7ad_6b71_6920_3331_u64.to_be_bytes();
        assert_eq!(is_child, headers == [parent], "{path}");
        assert_ne!(span.status.unwrap_or_default().code(), StatusCode::Error, "the client's fault is no fault here");
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano && span.start_time_unix_nano > 0);
    }
    server.stop().await
}

#[tokio::test]
async fn what_waits_is_told_at_the_end() -> anyhow::Result<()> {
    let mut collector = Receiver::start().await?;
    let endpoint = format!("http://{}", collector.address());
    let arguments = ["--otlp-endpoint", &endpoint];
    let mut server = ServerProcess::launch(&Launch { arguments: &arguments, ..Launch::default() }).await?;
    assert_eq!(server.http().get("/rooms").await?.status, 200);
    server.terminate()?;
    assert_eq!(next(&mut collector).await?.name, "GET /rooms");
    assert_eq!(server.ended().await?, Some(0));
    Ok(())
}

#[tokio::test]
async fn a_collector_that_hangs_or_is_away_holds_up_nobody() -> anyhow::Result<()> {
    let mut collector = Receiver::start().await?;
    let mut server = server(&format!("http://{}", collector.address())).await?;
    let mut held = Vec::new();
    for _ in 0..3_000 {
        assert_eq!(server.http().get("/health/live").await?.status, 200);
        if held.is_empty() {
            held.push(collector.next().await?);
        }
    }
    let since = Instant::now();
    server.terminate()?;
    assert_eq!(server.ended().await?, Some(0), "{}", server.log());
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    drop(held);

    let address = collector.address();
    drop(collector);
    let mut server = self::server(&format!("http://{address}")).await?;
    for _ in 0..3 {
        assert_eq!(server.http().get("/health/live").await?.status, 200);
        server.line(&["traces are lost"]).await?;
    }
    server.terminate()?;
    assert_eq!(server.ended().await?, Some(0));
    let lines = server.log().lines().filter(|line| line.contains("traces are lost")).count();
    assert_eq!(lines, 1, "{}", server.log());
    Ok(())
}
