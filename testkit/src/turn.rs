//! A client of the relay that sends what it is told to, right or wrong.

mod transport;

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, ensure};
use grtc_server::relay::{
    credentials::Key,
    stun::{Class, Message, Transaction, Writer, attribute, method},
};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};

use self::transport::{Stream, Transport};

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(10);

/// A client with a socket of its own.
#[derive(Debug)]
pub struct TurnClient {
    transport: Transport,
    username: String,
    key: Key,
    nonce: String,
    /// The address that others send to, once there is one.
    pub relayed: Option<SocketAddr>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct TurnAnswer(Vec<u8>);

impl TurnAnswer {
    /// 200 for one without an error, which is that of RFC 8489 or RFC 8656 otherwise.
    #[must_use]
    pub fn code(&self) -> u16 {
        match self.message().and_then(|message| message.attribute(attribute::ERROR_CODE)) {
            Some([_, _, class, number, ..]) => u16::from(*class) * 100 + u16::from(*number),
            _ => 200,
        }
    }

    /// The first address of this type.
    #[must_use]
    pub fn address(&self, kind: u16) -> Option<SocketAddr> {
        self.message()?.addresses(kind).next().flatten()
    }

    fn message(&self) -> Option<Message<'_>> {
        Message::parse(&self.0)
    }
}

impl TurnClient {
    /// One with the credentials of an `iceServers` list, by UDP at the address of its `turn:` URL.
    ///
    /// # Errors
    /// When there are none in it, or the address is no number.
    pub async fn new(servers: &Value) -> anyhow::Result<Self> {
        Self::with(servers, Transport::udp(address(servers, "udp")?).await?)
    }

    /// The same by TCP.
    ///
    /// # Errors
    /// As [`TurnClient::new`], or when nobody listens there.
    pub async fn by_tcp(servers: &Value) -> anyhow::Result<Self> {
        Self::over(servers, TcpStream::connect(address(servers, "tcp")?).await?)
    }

    /// The same on a stream that is there.
    ///
    /// # Errors
    /// When there are no credentials.
    pub fn over(servers: &Value, stream: impl Stream + 'static) -> anyhow::Result<Self> {
        Self::with(servers, Transport::stream(stream))
    }

    fn with(servers: &Value, transport: Transport) -> anyhow::Result<Self> {
        let entry = entry(servers)?;
        let (username, password) = (&entry["username"], &entry["credential"]);
        let username = username.as_str().context("no name")?.to_owned();
        let key = grtc_server::relay::credentials::key(&username, password.as_str().context("no password")?);
        Ok(Self { transport, username, key, nonce: String::new(), relayed: None })
    }

    /// Asks for an allocation, first without credentials, and gives the answer to the second request.
    ///
    /// # Errors
    /// When there is no answer, or no challenge.
    pub async fn allocate(&mut self) -> anyhow::Result<TurnAnswer> {
        let request = |method| Writer::new(Class::Request, method, transaction());
        let transport = |writer: Writer| writer.attribute(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
        let challenge = self.ask(transport(request(method::ALLOCATE)).finish()).await?;
        ensure!(challenge.code() == 401, "{} to who shows no credentials", challenge.code());
        let nonce = challenge.message().and_then(|message| message.text(attribute::NONCE).map(str::to_owned));
        self.nonce = nonce.context("no nonce")?;
        let answer = self.ask(self.sign(transport(self.begin(method::ALLOCATE)))).await?;
        self.relayed = answer.address(attribute::XOR_RELAYED_ADDRESS);
        Ok(answer)
    }

    /// Refreshes the allocation for so many seconds; 0 ends it.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn refresh(&self, seconds: u32) -> anyhow::Result<u16> {
        let request = self.begin(method::REFRESH).attribute(attribute::LIFETIME, &seconds.to_be_bytes());
        Ok(self.ask(self.sign(request)).await?.code())
    }

    /// Permits this address to send.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn permit(&self, address: SocketAddr) -> anyhow::Result<u16> {
        let request = self.begin(method::CREATE_PERMISSION).address(attribute::XOR_PEER_ADDRESS, address);
        Ok(self.ask(self.sign(request)).await?.code())
    }

    /// Binds a channel to this address.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn bind(&self, channel: u16, address: SocketAddr) -> anyhow::Result<u16> {
        let [high, low] = channel.to_be_bytes();
        let request = self.begin(method::CHANNEL_BIND).attribute(attribute::CHANNEL_NUMBER, &[high, low, 0, 0]);
        Ok(self.ask(self.sign(request.address(attribute::XOR_PEER_ADDRESS, address))).await?.code())
    }

    /// Sends data to this address by an indication.
    ///
    /// # Errors
    /// When it can't be sent.
    pub async fn send_to(&self, address: SocketAddr, data: &[u8]) -> anyhow::Result<()> {
        let indication = Writer::new(Class::Indication, method::SEND, transaction());
        let indication = indication.address(attribute::XOR_PEER_ADDRESS, address).attribute(attribute::DATA, data);
        self.send(&indication.finish()).await
    }

    /// Sends a message as it is, on a stream with its padding.
    ///
    /// # Errors
    /// When it can't be sent.
    pub async fn send(&self, message: &[u8]) -> anyhow::Result<()> {
        self.transport.send(message).await
    }

    /// Sends bytes as they are, on a stream a piece of a message perhaps.
    ///
    /// # Errors
    /// When they can't be sent.
    pub async fn write(&self, bytes: &[u8]) -> anyhow::Result<()> {
        self.transport.write(bytes).await
    }

    /// The next message.
    ///
    /// # Errors
    /// When there is none in time, or the stream has ended.
    pub async fn next(&self) -> anyhow::Result<Vec<u8>> {
        timeout(ANSWER, self.transport.next()).await.context("no message came")?
    }

    /// The data of the next Data indication, and whom it is from.
    ///
    /// # Errors
    /// When none comes next.
    pub async fn data(&self) -> anyhow::Result<(SocketAddr, Vec<u8>)> {
        let datagram = self.next().await?;
        let message = Message::parse(&datagram).context("no STUN")?;
        ensure!((message.class(), message.method()) == (Class::Indication, method::DATA), "another message");
        let from = message.addresses(attribute::XOR_PEER_ADDRESS).next().flatten().context("from nobody")?;
        Ok((from, message.attribute(attribute::DATA).context("no data")?.to_vec()))
    }

    /// Sends a request and gives its answer; other datagrams in between are lost.
    ///
    /// # Errors
    /// When there is none in time.
    pub async fn ask(&self, request: Vec<u8>) -> anyhow::Result<TurnAnswer> {
        self.send(&request).await?;
        let asked = Message::parse(&request).map(|message| message.transaction());
        loop {
            let answer = self.next().await?;
            if Message::parse(&answer).is_some_and(|message| Some(message.transaction()) == asked) {
                return Ok(TurnAnswer(answer));
            }
        }
    }

    fn begin(&self, method: u16) -> Writer {
        Writer::new(Class::Request, method, transaction())
            .attribute(attribute::USERNAME, self.username.as_bytes())
            .attribute(attribute::REALM, grtc_server::relay::credentials::REALM.as_bytes())
            .attribute(attribute::NONCE, self.nonce.as_bytes())
    }

    fn sign(&self, writer: Writer) -> Vec<u8> {
        writer.integrity(&self.key).fingerprint().finish()
    }
}

/// The entry of an `iceServers` list that has credentials.
fn entry(servers: &Value) -> anyhow::Result<&Value> {
    let entries = servers.as_array().context("no list")?;
    entries.iter().find(|entry| entry["credential"].is_string()).context("no credentials")
}

/// Where its `turn:` URL of this transport leads.
fn address(servers: &Value, transport: &str) -> anyhow::Result<SocketAddr> {
    let urls = entry(servers)?["urls"].as_array().context("no URLs")?;
    let suffix = format!("?transport={transport}");
    let mut addresses = urls.iter().filter_map(|url| url.as_str()?.strip_prefix("turn:")?.strip_suffix(&suffix));
    Ok(addresses.next().context("no such URL")?.parse()?)
}

fn transaction() -> Transaction {
    std::array::from_fn(|_| fastrand::u8(..))
}
