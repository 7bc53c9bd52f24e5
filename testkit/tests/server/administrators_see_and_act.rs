//! Who has a token for it sees who is there, and sends away whom it must.

use grtc_testkit::{Launch, ServerProcess};
use hyper::Method;
use serde_json::{Value, json};

use crate::tokens::{Keys, bearer, connect, join};

struct Admin<'a> {
    server: &'a ServerProcess,
    token: String,
}

impl Admin<'_> {
    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<(u16, Value)> {
        let path = format!("/api/admin/{path}");
        let answer = self.server.http().send(method, &path, &[("authorization", &self.token)], body).await?;
        Ok((answer.status, answer.json()?))
    }
}

#[tokio::test]
async fn a_peer_is_seen_sent_away_and_kept_out() -> anyhow::Result<()> {
    let keys = Keys::new().await?;
    let server = keys.server(&[]).await?;
    let admin = Admin { server: &server, token: bearer(&keys.token(&["--sub", "root", "--admin"]).await?) };
    let (ann, bob) =
        (keys.token(&["--sub", "ann", "--room", "*"]).await?, keys.token(&["--sub", "bob", "--room", "*"]).await?);
    let mut a = join(&server, "r", "a", &ann).await?;
    let mut b = join(&server, "r", "b", &bob).await?;
    a.expect("peer_joined").await?;
    a.send(json!({"type": "broadcast", "data": "12345678"})).await?;
    b.expect("broadcast_message").await?;
    assert_eq!(
        admin.ask(Method::GET, "rooms", None).await?,
        (200, json!({"rooms": [{"room_id": "r", "peers": 2}], "total": 1}))
    );
    let (status, room) = admin.ask(Method::GET, "rooms/r", None).await?;
    assert_eq!((status, &room["room_id"], room["peers"].as_array().map(Vec::len)), (200, &json!("r"), Some(2)));
    let peer = &room["peers"][0];
    for (field, value) in [
        ("peer_id", json!("a")),
        ("sub", json!("ann")),
        ("away", json!(false)),
        ("messages_in", json!(1)),
        ("bytes_in", json!(10)),
        ("messages_out", json!(1)),
        ("queued_bytes", json!(0)),
    ] {
        assert_eq!(peer[field], value, "{field} of {peer}");
    }
    assert!(peer["joined_at"].as_str().is_some_and(|time| time.ends_with('Z')) && peer["bytes_out"].as_u64() > Some(0));
    // Away, and seen at once.
    assert_eq!(admin.ask(Method::DELETE, "rooms/r/peers/a?ban=10m", None).await?.0, 204);
    assert_eq!(a.closed().await?.code, Some(4003));
    let left = b.expect("peer_left").await?;
    assert_eq!((&left["peer_id"], &left["reason"]), (&json!("a"), &json!("kicked")));
    for (room, peer, token, code) in
        [("r", "a", &bob, Some(4403)), ("r", "z", &ann, Some(4403)), ("other", "a", &ann, None), ("r", "y", &bob, None)]
    {
        let mut client = connect(&server, room, peer, token).await?;
        match code {
            Some(code) => assert_eq!(client.closed().await?.code, Some(code), "{room} {peer}"),
            None => drop(client.expect("room_state").await?),
        }
    }
    // Without a ban it may come right back.
    let mut b = connect(&server, "s", "b", &bob).await?;
    b.expect("room_state").await?;
    assert_eq!(admin.ask(Method::DELETE, "rooms/s/peers/b", None).await?.0, 204);
    assert_eq!(b.closed().await?.code, Some(4003));
    let mut b = join(&server, "s", "b", &bob).await?;
    assert_eq!(admin.ask(Method::DELETE, "rooms/s", None).await?.0, 204);
    assert_eq!(b.closed().await?.code, Some(4003));
    for (method, path, status) in [
        (Method::GET, "rooms/nobody", 404),
        (Method::DELETE, "rooms/nobody", 404),
        (Method::DELETE, "rooms/r/peers/nobody", 404),
        (Method::DELETE, "rooms/r/peers/b?ban=soon", 422),
        (Method::DELETE, "rooms/r/peers/b?ban=99999h", 422),
        (Method::GET, "rooms/%00", 400),
        (Method::PUT, "rooms/r", 405),
        (Method::GET, "audit?limit=0", 422),
    ] {
        assert_eq!(admin.ask(method, path, None).await?.0, status, "{path}");
    }
    let (_, audit) = admin.ask(Method::GET, "audit?limit=2", None).await?;
    let deeds: Vec<_> =
        audit["entries"].as_array().unwrap().iter().map(|deed| (&deed["who"], &deed["what"], &deed["whom"])).collect();
    assert_eq!(
        deeds,
        [(&json!("root"), &json!("close_room"), &json!("s")), (&json!("root"), &json!("kick"), &json!("b in s"))]
    );
    server.stop().await
}

#[tokio::test]
async fn what_is_revoked_or_banned_is_so_after_a_restart_too() -> anyhow::Result<()> {
    let keys = Keys::new().await?;
    let server = keys.server(&[]).await?;
    let root = bearer(&keys.token(&["--sub", "root", "--admin"]).await?);
    let (ann, bob) =
        (keys.token(&["--sub", "ann", "--room", "*"]).await?, keys.token(&["--sub", "bob", "--room", "*"]).await?);
    let (mut a, mut b) = (join(&server, "r", "a", &ann).await?, join(&server, "r", "b", &bob).await?);
    let admin = Admin { server: &server, token: root.clone() };
    for (body, status) in [
        (json!({}), 422),
        (json!({"sub": "ann", "jti": "1"}), 422),
        (json!({"sub": 1}), 422),
        (json!({"name": "ann"}), 422),
        (json!({"sub": ""}), 422),
        (json!(["ann"]), 422),
    ] {
        assert_eq!(admin.ask(Method::POST, "revocations", Some(&body)).await?.0, status, "{body}");
    }
    assert_eq!(admin.ask(Method::POST, "revocations", Some(&json!({"sub": "ann"}))).await?.0, 204);
    assert_eq!(a.closed().await?.code, Some(4401));
    b.skip_to("peer_left").await?;
    b.send(json!({"type": "ping"})).await?;
    b.expect("pong").await?;
    assert_eq!(admin.ask(Method::DELETE, "rooms/r/peers/b?ban=10m", None).await?.0, 204);
    assert_eq!(b.closed().await?.code, Some(4003));
    let directory = server.kill().await?;
    let database = directory.path().join("grtc.db");
    let arguments = ["--auth-secret-file", keys.path()];
    let launch = Launch { arguments: &arguments, database: Some(&database), ..Launch::default() };
    let server = ServerProcess::launch(&launch).await?;
    assert_eq!(connect(&server, "r", "a", &ann).await?.closed().await?.code, Some(4401));
    for peer in ["b", "under-another-id"] {
        assert_eq!(connect(&server, "r", peer, &bob).await?.closed().await?.code, Some(4403));
    }
    join(&server, "s", "b", &bob).await?;
    let (_, audit) = Admin { server: &server, token: root }.ask(Method::GET, "audit", None).await?;
    assert_eq!(audit["entries"][1]["whom"], "sub ann");
    server.stop().await
}

#[tokio::test]
async fn a_server_that_drains_lets_everybody_go_and_stays() -> anyhow::Result<()> {
    let keys = Keys::new().await?;
    let mut server = keys.server(&[]).await?;
    let token = keys.token(&["--sub", "ann", "--room", "*", "--admin", "--items", "read"]).await?;
    let mut a = join(&server, "r", "a", &token).await?;
    let admin = Admin { server: &server, token: bearer(&token) };
    assert_eq!(admin.ask(Method::POST, "drain", None).await?.0, 202);
    let closed = a.closed().await?;
    assert_eq!(closed.code, Some(1012));
    assert!(closed.reason.starts_with("retry in "), "{}", closed.reason);
    assert_eq!(server.http().get("/health/ready").await?.status, 503);
    assert_eq!(server.http().get("/health/live").await?.status, 200);
    assert_eq!(admin.ask(Method::GET, "rooms", None).await?.0, 503);
    server.terminate()?;
    assert_eq!(server.ended().await?, Some(0));
    Ok(())
}
