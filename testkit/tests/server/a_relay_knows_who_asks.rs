//! Whom the relay's credentials name where there are keys, and addresses of both families at one socket.

use std::net::{Ipv6Addr, SocketAddr};

use anyhow::{Context, ensure};
use grtc_testkit::{TestServer, turn::TurnClient};
use hyper::Method;
use serde_json::{Value, json};

use crate::tokens::{Keys, bearer, join};

#[tokio::test]
async fn credentials_are_for_the_room_and_the_sub_of_a_token() -> anyhow::Result<()> {
    let keys = Keys::new().await?;
    let server = keys.server(&[("GRTC_TURN", "true")]).await?;
    let ann = keys.token(&["--sub", "ann", "--room", "team-*", "--peer-id", "a"]).await?;
    let ask = async |query: &str| -> anyhow::Result<(u16, Value)> {
        let header = bearer(&ann);
        let path = format!("/api/ice-servers?{query}");
        let answer = server.http().send(Method::GET, &path, &[("authorization", &header)], None).await?;
        Ok((answer.status, answer.json()?))
    };
    for query in ["room=other&peer_id=a", "room=team-1&peer_id=b"] {
        let (status, problem) = ask(query).await?;
        assert_eq!((status, &problem["code"]), (403, &json!("not_allowed")), "{query}");
    }
    let user =
        |servers: &Value| servers[1]["username"].as_str().map(|name| name.splitn(3, ':').map(str::to_owned).collect());
    let told = async |query: &str| -> anyhow::Result<Vec<String>> {
        user(&ask(query).await?.1["iceServers"]).context("no name")
    };
    let (named, by_token) = (told("room=team-1&peer_id=a").await?, told("room=team-1").await?);
    let elsewhere = told("room=team-2&peer_id=a").await?;
    assert_eq!((&*named[2], &*by_token[2], &*elsewhere[2]), ("ann", "ann", "ann"));
    assert!(named[1] == by_token[1] && named[1] != elsewhere[1], "{named:?} {by_token:?} {elsewhere:?}");
    let mut client = join(&server, "team-1", "a", &ann).await?;
    client.send(json!({"type": "ice_servers"})).await?;
    let joined: Vec<String> = user(&client.expect("ice_servers").await?["ice_servers"]).context("no name")?;
    assert_eq!((&joined[1], &joined[2]), (&named[1], &named[2]));
    client.leave().await?;
    server.stop().await
}

#[tokio::test]
async fn one_socket_serves_both_families() -> anyhow::Result<()> {
    let server = TestServer::start_with(|config| {
        config.listen = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
        (config.insecure_open, config.relay.turn) = (true, true);
    })
    .await?;
    let port = server.address().port();
    let mut clients = Vec::new();
    for host in ["127.0.0.1", "[::1]"] {
        let http = grtc_testkit::Http::new(format!("{host}:{port}").parse()?);
        let servers = http.get(&format!("/api/ice-servers?room=r&peer_id=p{}", clients.len())).await?.json()?;
        let url = format!("turn:{host}:{port}?transport=udp");
        let mut entry = servers["iceServers"][1].clone();
        entry["urls"] = json!([url]);
        let mut client = TurnClient::new(&json!([entry])).await?;
        let code = client.allocate().await?.code();
        ensure!(code == 200, "{code} by {host}");
        clients.push(client);
    }
    let (a, b) = (&clients[0], &clients[1]);
    let (of_a, of_b) = (a.relayed.context("none")?, b.relayed.context("none")?);
    assert_eq!((a.permit(of_b).await?, b.permit(of_a).await?), (200, 200));
    a.send_to(of_b, b"from IPv4").await?;
    assert_eq!(b.data().await?, (of_a, b"from IPv4".to_vec()));
    b.send_to(of_a, b"from IPv6").await?;
    assert_eq!(a.data().await?, (of_b, b"from IPv6".to_vec()));
    assert_eq!((a.refresh(0).await?, b.refresh(0).await?), (200, 200));
    server.stop().await
}
