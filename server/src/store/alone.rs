//! A database that a command has for itself: no server has it open, and none can open it meanwhile.

use anyhow::anyhow;
use sea_orm::DatabaseConnection;

use super::{
    location::Location,
    open::{self, Access},
    schema,
    sql::is_busy,
};

/// Opens the file of a `sqlite:` URL, or makes it if the URL says so.
///
/// # Errors
/// When it can't be opened, is not grtc's or is newer, or another program has it open. Then nothing was made or changed.
pub(super) async fn open(url: &str) -> anyhow::Result<DatabaseConnection> {
    let location = Location::parse(url)?;
    let path = location.file()?;
    location.check()?;
    if path.exists() {
        schema::look_at(path).await?;
    }
    // The lock of SQLite itself: every connection of a server shares it as long as it is open.
    let database = open::connect(url, 1, Access::WriteAlone).await.map_err(|error| match is_busy(&error) {
        true => anyhow!("a server or another program has it open: stop that one first"),
        false => anyhow!("it can't be opened: {error}"),
    })?;
    schema::check(&database).await?;
    open::check(&database).await?;
    Ok(database)
}
