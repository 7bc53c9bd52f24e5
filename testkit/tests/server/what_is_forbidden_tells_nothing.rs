//! Who may not look learns nothing: a room that is forbidden and one that there is not answer alike, and as fast.

use std::time::{Duration, Instant};

use grtc_testkit::{ServerProcess, http::Answer};
use hyper::Method;

use crate::tokens::{Keys, bearer, connect, join};

/// Tries of each kind, by turns, and by how much the middle ones may differ.
const TRIES: usize = 2_000;
const ALIKE: Duration = Duration::from_millis(1);

async fn ask(server: &ServerProcess, path: &str, token: &str) -> anyhow::Result<Answer> {
    server.http().send(Method::GET, path, &[("authorization", &bearer(token))], None).await
}

/// What a client can tell an answer by.
fn looks(answer: &Answer, room: &str) -> String {
    let headers: Vec<_> =
        answer.headers.iter().filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str())).collect();
    format!("{} {headers:?} {}", answer.status, answer.text()).replace(room, "ROOM")
}

#[tokio::test]
async fn a_room_that_is_forbidden_is_as_one_that_there_is_not() -> anyhow::Result<()> {
    let keys = Keys::new().await?;
    let server = keys.server(&[]).await?;
    let member = keys.token(&["--sub", "ann", "--room", "*"]).await?;
    let stranger = keys.token(&["--sub", "eve", "--room", "other"]).await?;
    let (_ann, _ben) = (join(&server, "secret", "ann", &member).await?, join(&server, "secret", "ben", &member).await?);
    for path in ["/rooms/ROOM/peers", "/api/ice-servers?room=ROOM&peer_id=ann"] {
        let there = ask(&server, &path.replace("ROOM", "secret"), &stranger).await?;
        let nowhere = ask(&server, &path.replace("ROOM", "nobody"), &stranger).await?;
        assert_eq!((there.status, looks(&there, "secret")), (403, looks(&nowhere, "nobody")), "{path}");
    }
    let mut closed = Vec::new();
    for (room, peer) in [("secret", "ann"), ("secret", "new"), ("nobody", "ann")] {
        let end = connect(&server, room, peer, &stranger).await?.closed().await?;
        closed.push((end.code, end.reason));
    }
    assert!(closed.iter().all(|end| end.0 == Some(4403) && *end == closed[0]), "{closed:?}");
    server.stop().await
}

#[tokio::test]
async fn a_room_that_is_forbidden_takes_no_longer() -> anyhow::Result<()> {
    let keys = Keys::new().await?;
    let server = keys.server(&[("GRTC_REQUEST_RATE", "0")]).await?;
    let member = keys.token(&["--sub", "ann", "--room", "*"]).await?;
    let stranger = keys.token(&["--sub", "eve", "--room", "other"]).await?;
    let _ann = join(&server, "secret", "ann", &member).await?;
    let mut took = [Vec::new(), Vec::new()];
    for _ in 0..TRIES {
        for (took, path) in took.iter_mut().zip(["/rooms/secret/peers", "/rooms/nobody/peers"]) {
            let since = Instant::now();
            assert_eq!(ask(&server, path, &stranger).await?.status, 403);
            took.push(since.elapsed());
        }
    }
    let [there, nowhere] = took.map(|mut took| {
        took.sort_unstable();
        took[TRIES / 2]
    });
    assert!(there.abs_diff(nowhere) < ALIKE, "{there:?} where somebody is, {nowhere:?} where nobody is");
    server.stop().await
}
