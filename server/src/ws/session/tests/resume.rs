//! Which ends of a connection are those to come back from, and how the server knows that somebody is back.

use super::*;
use crate::hub::{room::Back, token::Token};

impl Rooms {
    async fn ask(&self, back: Option<Back>) -> (Client, Value) {
        let (stream, session) = self.connect_asking("a", Asks { resume: true, back, ..Asks::default() });
        let socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
        let mut client = Client { socket, session };
        let state = client.expect("room_state").await;
        (client, state)
    }
}

fn back(state: &Value) -> Option<Back> {
    Some(Back { token: Token::parse(state["resume_token"].as_str().unwrap()), received: 0 })
}

#[tokio::test(start_paused = true)]
async fn a_close_that_is_no_goodbye_is_one_to_come_back_from() {
    for (code, told) in [
        (None, "peer_left"),
        (Some(1000), "peer_left"),
        (Some(1001), "peer_left"),
        (Some(4001), "peer_left"),
        (Some(4003), "peer_left"),
        (Some(4401), "peer_left"),
        (Some(4403), "peer_left"),
        (Some(1011), "peer_away"),
        (Some(4000), "peer_away"),
        (Some(4408), "peer_away"),
    ] {
        let rooms = Rooms::new(0);
        let mut watcher = rooms.join("watcher").await;
        let (mut a, _) = rooms.ask(None).await;
        watcher.expect("peer_joined").await;
        let frame = code.map(|code: u16| tungstenite::protocol::CloseFrame { code: code.into(), reason: "".into() });
        a.socket.send(Message::Close(frame)).await.unwrap();
        let Message::Text(text) = watcher.next().await else { panic!("no text") };
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["type"], told, "{code:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_falls_silent_or_breaks_a_rule_is_away() {
    let rooms = Rooms::new(0);
    let mut watcher = rooms.join("watcher").await;
    let (mut a, _) = rooms.ask(None).await;
    let since = Instant::now();
    watcher.expect("peer_away").await;
    assert_eq!(since.elapsed().as_secs(), (HEARTBEAT_INTERVAL + HEARTBEAT_TIMEOUT).as_secs());
    assert_eq!(a.closed().await, 4408);
}

#[tokio::test(start_paused = true)]
async fn the_old_token_is_good_until_the_new_one_is_known_to_be_there() {
    let rooms = Rooms::new(0);
    let mut watcher = rooms.join("watcher").await;
    let (a, first) = rooms.ask(None).await;
    drop(a.socket);
    watcher.expect("peer_away").await;
    for _ in 0..2 {
        let (a, state) = rooms.ask(back(&first)).await;
        assert_eq!(state["recovered"], true);
        watcher.expect("peer_back").await;
        drop(a.socket);
        watcher.expect("peer_away").await;
    }
    let (mut a, second) = rooms.ask(back(&first)).await;
    watcher.expect("peer_back").await;
    assert!(matches!(a.next().await, Message::Ping(_)));
    a.send(json!({"type": "ping"})).await;
    a.expect("pong").await;
    drop(a.socket);
    watcher.expect("peer_away").await;
    let (stream, _session) = rooms.connect_asking("a", Asks { resume: true, back: back(&first), ..Asks::default() });
    let mut stranger = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
    let Some(Ok(Message::Close(Some(frame)))) = stranger.next().await else { panic!("no close frame") };
    assert_eq!(u16::from(frame.code), 4409);
    // The pong was its own answer and is counted with the rest.
    let (_a, state) = rooms.ask(back(&second)).await;
    assert_eq!(state["recovered"], true);
}
