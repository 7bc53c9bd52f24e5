//! Keys in a folder, and the tokens that `grtc-server token create` makes with them.

use grtc_testkit::{
    Client, Launch, ServerProcess,
    command::{run_to_end, run_with_input},
    ws,
};
use tempfile::TempDir;

/// A key, and a server that goes by it.
pub(crate) struct Keys {
    _folder: TempDir,
    file: String,
}

impl Keys {
    pub(crate) async fn new() -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let file = folder.path().join("key").display().to_string();
        let made = run_to_end(&["token", "key", "--out", &file], &[]).await?;
        anyhow::ensure!(made.code == Some(0), "{}", made.stderr);
        Ok(Self { _folder: folder, file })
    }

    pub(crate) fn path(&self) -> &str {
        &self.file
    }

    pub(crate) async fn server(&self, environment: &[(&str, &str)]) -> anyhow::Result<ServerProcess> {
        let arguments = ["--auth-secret-file", self.path()];
        ServerProcess::launch(&Launch { arguments: &arguments, environment, ..Launch::default() }).await
    }

    /// A token with what these options of `token create` say.
    pub(crate) async fn token(&self, options: &[&str]) -> anyhow::Result<String> {
        let made = run_to_end(&[&["token", "create", "--key", self.path()], options].concat(), &[]).await?;
        anyhow::ensure!(made.code == Some(0), "{}", made.stderr);
        Ok(made.stdout.trim().to_owned())
    }

    /// What `token check` has to say of a token, and its exit code.
    pub(crate) async fn check(&self, token: &str) -> anyhow::Result<(Option<i32>, String)> {
        let checked = run_with_input(&["token", "check", "--key", self.path()], &[], &format!("{token}\n")).await?;
        Ok((checked.code, checked.stdout + &checked.stderr))
    }
}

/// As a header.
pub(crate) fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// A connection that shows this token; whether it is let in is not waited for.
pub(crate) async fn connect(server: &ServerProcess, room: &str, peer: &str, token: &str) -> anyhow::Result<Client> {
    let url = match peer {
        "" => ws::url(server.address(), room),
        peer => server.peer_url(room, peer),
    };
    Client::connect_with(&url, &[("authorization", &bearer(token))]).await
}

/// The same, let in.
pub(crate) async fn join(server: &ServerProcess, room: &str, peer: &str, token: &str) -> anyhow::Result<Client> {
    let mut client = connect(server, room, peer, token).await?;
    client.expect("room_state").await?;
    Ok(client)
}
