//! A server with a key lets in who has a token, and no further than the token says.

use std::time::Duration;

use grtc_testkit::{Client, Launch, ServerProcess, ws};
use hyper::Method;
use serde_json::{Value, json};

use crate::tokens::{Keys, bearer, connect, join};

async fn status(server: &ServerProcess, method: Method, path: &str, token: &str) -> anyhow::Result<(u16, String)> {
    let header = bearer(token);
    let headers: &[(&str, &str)] = if token.is_empty() { &[] } else { &[("authorization", &header)] };
    let body = (method == Method::POST).then(|| json!({"title": "t"}));
    let answer = server.http().send(method, path, headers, body.as_ref()).await?;
    let problem = if answer.status < 400 { Value::Null } else { answer.json()? };
    let code = problem["code"].as_str().unwrap_or_default().to_owned();
    if answer.status == 401 {
        assert!(answer.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Bearer")));
    }
    Ok((answer.status, code))
}

#[tokio::test]
async fn over_http_each_path_takes_what_it_needs() -> anyhow::Result<()> {
    let keys = Keys::new().await?;
    let server = keys.server(&[]).await?;
    let nothing = keys.token(&["--sub", "nobody"]).await?;
    let reader = keys.token(&["--sub", "r", "--items", "read", "--room", "a*"]).await?;
    let writer = keys.token(&["--sub", "w", "--items", "write", "--list"]).await?;
    let admin = keys.token(&["--sub", "root", "--admin"]).await?;
    let (get, post) = (Method::GET, Method::POST);
    for (method, path, statuses) in [
        (&get, "/api/items/", [401, 403, 200, 200, 403]),
        (&get, "/api/items/1", [401, 403, 404, 404, 403]),
        (&post, "/api/items/", [401, 403, 403, 201, 403]),
        (&get, "/api/jobs", [401, 403, 200, 200, 403]),
        (&get, "/api/jobs/1", [401, 403, 404, 404, 403]),
        (&post, "/api/jobs/1/retry", [401, 403, 403, 404, 403]),
        (&get, "/rooms", [401, 403, 403, 200, 403]),
        (&get, "/rooms/abc/peers", [401, 403, 200, 200, 403]),
        (&get, "/rooms/xyz/peers", [401, 403, 403, 200, 403]),
        (&get, "/api/ice-servers", [401, 200, 200, 200, 200]),
        (&post, "/api/tickets", [401, 201, 201, 201, 201]),
        (&get, "/api/admin/rooms", [401, 403, 403, 403, 200]),
        (&get, "/api/admin/audit", [401, 403, 403, 403, 200]),
        (&get, "/", [200, 200, 200, 200, 200]),
        (&get, "/openapi.json", [200, 200, 200, 200, 200]),
        (&get, "/health/ready", [200, 200, 200, 200, 200]),
    ] {
        for (token, expected) in ["", &nothing, &reader, &writer, &admin].into_iter().zip(statuses) {
            let (found, code) = status(&server, method.clone(), path, token).await?;
            assert_eq!(found, expected, "{method} {path} {code}");
            match found {
                401 => assert_eq!(code, "not_authenticated"),
                403 => assert_eq!(code, "not_allowed"),
                _ => {}
            }
        }
    }
    assert_eq!(status(&server, Method::GET, "/api/items/", "a.b.c").await?, (401, "token_invalid".to_owned()));
    // A token in the URL is none.
    let in_query = format!("/api/items/?token={reader}&access_token={reader}&ticket={reader}");
    assert_eq!(server.http().get(&in_query).await?.status, 401);
    server.stop().await
}

#[tokio::test]
async fn without_keys_nobody_needs_a_token_and_nobody_administers() -> anyhow::Result<()> {
    let server = ServerProcess::launch(&Launch::default()).await?;
    for token in ["", "nonsense"] {
        assert_eq!(status(&server, Method::GET, "/api/items/", token).await?.0, 200);
        assert_eq!(status(&server, Method::GET, "/api/admin/rooms", token).await?, (403, "not_allowed".to_owned()));
    }
    server.stop().await
}

#[tokio::test]
async fn a_ticket_is_good_once() -> anyhow::Result<()> {
    let keys = Keys::new().await?;
    let server = keys.server(&[]).await?;
    let token = bearer(&keys.token(&["--sub", "r", "--items", "read", "--room", "lobby"]).await?);
    let ticket = async || {
        let answer = server.http().send(Method::POST, "/api/tickets", &[("authorization", &token)], None).await?;
        anyhow::Ok(answer.json()?["ticket"].as_str().unwrap().to_owned())
    };
    let path = format!("/api/items/?ticket={}", ticket().await?);
    assert_eq!(server.http().get(&path).await?.status, 200);
    let again = server.http().get(&path).await?;
    assert_eq!((again.status, again.json()?["code"].as_str()), (401, Some("token_invalid")));
    let mut client = Client::connect(&format!("{}&ticket={}", server.peer_url("lobby", "a"), ticket().await?)).await?;
    client.expect("room_state").await?;
    server.stop().await
}

#[tokio::test]
async fn a_room_opens_to_who_may_join_it() -> anyhow::Result<()> {
    let keys = Keys::new().await?;
    let server = keys.server(&[]).await?;
    let token = keys.token(&["--sub", "ann", "--room", "team-*", "--room", "lobby"]).await?;
    let named = keys.token(&["--sub", "bob", "--room", "*", "--peer-id", "b"]).await?;
    // They stay until the end of this.
    let mut inside = Vec::new();
    for (room, peer, token, code) in [
        ("team-1", "a", "", Some((4401, "not_authenticated"))),
        ("team-1", "a", "nonsense", Some((4401, "token_invalid"))),
        ("team-1", "a", &token, None),
        ("lobby", "a", &token, None),
        ("lobby2", "a", &token, Some((4403, "not_allowed"))),
        ("other", "b", &named, None),
        ("other", "", &named, Some((4409, ""))),
        ("other", "c", &named, Some((4403, "not_allowed"))),
    ] {
        let mut client = match token {
            "" => Client::connect(&server.peer_url(room, peer)).await?,
            token => connect(&server, room, peer, token).await?,
        };
        match code {
            None => {
                client.expect("room_state").await?;
                inside.push(client);
            }
            Some((code, word)) => {
                let closed = client.closed().await?;
                assert_eq!(closed.code, Some(code), "{room} {peer}: {}", closed.reason);
                assert!(closed.reason.starts_with(word), "{}", closed.reason);
            }
        }
    }
    // As a page does it.
    let offer = format!("grtc, grtc.token.{token}");
    let url = server.peer_url("team-2", "page");
    let mut page = Client::connect_with(&url, &[("sec-websocket-protocol", &offer)]).await?;
    page.expect("room_state").await?;
    // The peer id of the token is the one that it has without another.
    let mut client =
        Client::connect_with(&ws::url(server.address(), "third"), &[("authorization", &bearer(&named))]).await?;
    assert_eq!(client.expect("room_state").await?["your_peer_id"], "b");
    server.stop().await
}

#[tokio::test]
async fn who_may_not_publish_receives_and_opens_channels() -> anyhow::Result<()> {
    let keys = Keys::new().await?;
    let server = keys.server(&[]).await?;
    let speaker = keys.token(&["--sub", "s", "--room", "r"]).await?;
    let listener = keys.token(&["--sub", "l", "--room", "r", "--no-publish"]).await?;
    let mut speaker = join(&server, "r", "s", &speaker).await?;
    let mut listener = join(&server, "r", "l", &listener).await?;
    speaker.expect("peer_joined").await?;
    for message in [
        json!({"type": "broadcast", "data": 1, "id": "m"}),
        json!({"type": "message", "target_peer_id": "s", "data": 1, "id": "m"}),
    ] {
        listener.send(message).await?;
        let error = listener.expect("error").await?;
        assert_eq!((&error["code"], &error["ref"]), (&json!("not_allowed"), &json!("m")));
    }
    listener.send(json!({"type": "offer", "target_peer_id": "s", "offer": {}})).await?;
    speaker.expect("webrtc_signal").await?;
    speaker.send(json!({"type": "broadcast", "data": 2})).await?;
    listener.expect("broadcast_message").await?;
    server.stop().await
}

#[tokio::test]
async fn a_connection_ends_with_its_token_and_goes_on_with_a_newer_one() -> anyhow::Result<()> {
    let keys = Keys::new().await?;
    let server = keys.server(&[]).await?;
    let create = async |sub: &str, room: &str, ttl: &str| {
        keys.token(&["--sub", sub, "--room", room, "--ttl", ttl, "--items", "read"]).await
    };
    let short = create("ann", "r", "2s").await?;
    let (mut ends, mut renewed) = (join(&server, "r", "a", &short).await?, join(&server, "r", "b", &short).await?);
    let longer = create("ann", "r", "1h").await?;
    let says = json!({"type": "auth", "token": longer, "id": "t1"});
    renewed.send(says).await?;
    let answer = renewed.skip_to("authenticated").await?;
    assert!(answer["expires_at"].as_str().is_some_and(|time| time.ends_with('Z')), "{answer}");
    assert_eq!(renewed.expect("ack").await?["ref"], "t1");
    for (token, id) in
        [("nonsense".to_owned(), "t2"), (create("bob", "r", "1h").await?, "t3"), (short.clone() + "x", "t4")]
    {
        renewed.send(json!({"type": "auth", "token": token, "id": id})).await?;
        let error = renewed.skip_to("error").await?;
        assert_eq!((&error["code"], &error["ref"]), (&json!("bad_token"), &json!(id)));
    }
    // The stream of changes ends as well: what it was opened with is over.
    let (http, header) = (server.http(), bearer(&short));
    let headers = [("authorization", header.as_str())];
    let stream = http.send(Method::GET, "/api/items/events", &headers, None);
    let (closed, stream) = tokio::join!(ends.closed(), tokio::time::timeout(Duration::from_secs(8), stream));
    assert_eq!(closed?.code, Some(4401));
    assert!(matches!(stream, Ok(Ok(answer)) if answer.status == 200));
    assert_eq!(renewed.skip_to("peer_left").await?["peer_id"], "a");
    let elsewhere = create("ann", "other", "1h").await?;
    renewed.send(json!({"type": "auth", "token": elsewhere})).await?;
    assert_eq!(renewed.closed().await?.code, Some(4403));
    let late = status(&server, Method::GET, "/api/items/", &create("ann", "r", "1h").await?).await?;
    assert_eq!(late.0, 200);
    server.stop().await
}

#[tokio::test]
async fn who_tries_bad_tokens_has_to_wait_and_nobody_else() -> anyhow::Result<()> {
    let keys = Keys::new().await?;
    let arguments = ["--auth-secret-file", keys.path(), "--trusted-proxy", "127.0.0.1"];
    let server = ServerProcess::launch(&Launch { arguments: &arguments, ..Launch::default() }).await?;
    let good = keys.token(&["--sub", "ann", "--items", "read", "--room", "*"]).await?;
    let ask = async |address: &str, token: &str| {
        let (token, headers) = (bearer(token), ["authorization", "x-forwarded-for"]);
        let headers = [(headers[0], token.as_str()), (headers[1], address)];
        server.http().send(Method::GET, "/api/items/", &headers, None).await
    };
    for _ in 0..10 {
        assert_eq!(ask("203.0.113.9", "a.b.c").await?.status, 401);
    }
    let refused = ask("203.0.113.9", "a.b.c").await?;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    assert_eq!(refused.json()?["code"], "too_many_bad_tokens");
    let header = bearer("a.b.c");
    let headers = [("authorization", header.as_str()), ("x-forwarded-for", "203.0.113.9")];
    // Each that is shown after the wait makes the next one longer: one of two comes within it.
    let mut codes = Vec::new();
    for _ in 0..2 {
        codes.push(Client::connect_with(&server.peer_url("r", "a"), &headers).await?.closed().await?.code);
    }
    assert!(codes.contains(&Some(4029)), "{codes:?}");
    assert_eq!(ask("203.0.113.9", &good).await?.status, 200, "a good one is taken all the same");
    assert_eq!(ask("203.0.113.10", "a.b.c").await?.status, 401, "somebody else is not concerned");
    server.stop().await
}

#[tokio::test]
async fn a_key_answers_its_own_bearer_only() -> anyhow::Result<()> {
    let keys = Keys::new().await?;
    let server = keys.server(&[]).await?;
    let (ann, bob) = (
        keys.token(&["--sub", "ann", "--items", "write"]).await?,
        keys.token(&["--sub", "bob", "--items", "write"]).await?,
    );
    let create = async |token: &str, title: &str| {
        let headers = [("authorization", bearer(token)), ("idempotency-key", "k".to_owned())];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let answer = server.http().send(Method::POST, "/api/items/", &headers, Some(&json!({"title": title}))).await?;
        anyhow::Ok((answer.status, answer.json()?["id"].clone()))
    };
    assert_eq!(create(&ann, "a").await?, (201, json!(1)));
    assert_eq!(create(&ann, "a").await?, (201, json!(1)));
    assert_eq!(create(&bob, "b").await?, (201, json!(2)), "it is not told what Ann has made");
    server.stop().await
}

#[tokio::test]
async fn a_token_is_explained_and_never_logged() -> anyhow::Result<()> {
    let keys = Keys::new().await?;
    let server = keys.server(&[("RUST_LOG", "trace")]).await?;
    let token = keys.token(&["--sub", "ann", "--room", "r", "--items", "read"]).await?;
    let (code, said) = keys.check(&token).await?;
    assert!(code == Some(0) && ["\"ann\"", "it ends at", "good"].iter().all(|word| said.contains(word)), "{said}");
    assert_eq!(Keys::new().await?.check(&token).await?.0, Some(1));
    let mut client = join(&server, "r", "a", &token).await?;
    client.send(json!({"type": "auth", "token": token})).await?;
    client.expect("authenticated").await?;
    let url = server.peer_url("r", "b");
    let offer = format!("grtc, grtc.token.{token}");
    let mut page = Client::connect_with(&url, &[("sec-websocket-protocol", &offer)]).await?;
    page.expect("room_state").await?;
    let bad = format!("{token}x");
    for token in [&token, &bad] {
        status(&server, Method::GET, "/api/items/", token).await?;
        status(&server, Method::GET, "/rooms", token).await?;
        server.http().get(&format!("/api/items/?token={token}")).await?;
    }
    let answer: Value =
        server.http().send(Method::GET, "/rooms", &[("authorization", &bearer(&bad))], None).await?.json()?;
    assert!(!answer.to_string().contains(&bad));
    for process in std::fs::read_dir("/proc")?.flatten() {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&line).contains(&token[token.len() - 40..]));
    }
    let log = server.log();
    assert!(log.contains("/rooms") && !log.contains(&token[token.len() - 40..]), "{log}");
    server.stop().await
}
