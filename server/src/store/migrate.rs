//! Bringing a database to this version's schema without serving: what each start of the server does first.

use super::{alone, location::Location, migration, reading, schema};

/// What was done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Migrated {
    /// The last step that the schema had before; none of a new database.
    pub(crate) from: Option<String>,
    /// The last step that it has now.
    pub(crate) to: String,
}

/// Brings the database at a `sqlite:` URL to the newest schema. One that is there already may be in use.
///
/// # Errors
/// When it can't be used, is newer than this version, or there is something to do and a server has it open.
pub(crate) async fn migrate(url: &str) -> anyhow::Result<Migrated> {
    let location = Location::parse(url)?;
    let path = location.file()?;
    location.check()?;
    let to = schema::known().pop().unwrap_or_default();
    if path.exists() {
        schema::look_at(path).await?;
        let database = reading::connect(path).await?;
        let checked = schema::check(&database).await;
        let steps = schema::steps(&database).await;
        database.close().await?;
        checked?;
        if steps?.last() == Some(&to) {
            return Ok(Migrated { from: Some(to.clone()), to });
        }
    }
    let database = alone::open(url).await?;
    let from = schema::steps(&database).await?.pop();
    migration::bring_up_to_date(&database).await?;
    database.close().await?;
    Ok(Migrated { from, to })
}
