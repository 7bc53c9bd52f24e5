//! The item store over HTTP.

use std::{sync::Arc, time::Instant};

use anyhow::Context;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    exchange::Connection,
    report::{Limit, Measure},
    target::Target,
    window::{Meter, Plan},
};

/// Items that are there from the start; updates and reads go to these.
const SEED: usize = 1_000;
const BULK: usize = 50;

/// How many clients.
#[derive(Debug, clap::Args)]
pub struct Shape {
    /// Connections, each with one request under way.
    #[arg(long, default_value_t = Self::default().connections)]
    pub connections: usize,
    /// Only this one of create, update, read, list, bulk and mix.
    #[arg(long)]
    pub only: Option<String>,
}

impl Default for Shape {
    fn default() -> Self {
        Self { connections: 16, only: None }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Create,
    Update,
    Read,
    List,
    Bulk,
}

use Kind::{Bulk, Create, List, Read, Update};

/// Twelve reads, three lists, three creates, two updates.
const MIX: [Kind; 20] = [
    Read, Read, Create, Read, List, Read, Read, Update, Read, Create, Read, List, Read, Read, Update, Read, Create,
    Read, List, Read,
];

/// Name, requests in turn, and requests a second that are to be reached.
const MEASURES: [(&str, &[Kind], f64); 6] = [
    ("create", &[Create], 10_000.0),
    ("update", &[Update], 9_000.0),
    ("read", &[Read], 25_000.0),
    ("list", &[List], 5_000.0),
    ("bulk", &[Bulk], 400.0),
    ("mix", &MIX, 12_000.0),
];

/// Measures each kind of request, and the mix.
///
/// # Errors
/// When any answer has another status than it should.
pub async fn measure(target: &Target, plan: Plan, shape: &Shape, measures: &mut Vec<Measure>) -> anyhow::Result<()> {
    let chosen = |name: &str| shape.only.as_ref().is_none_or(|only| only == name);
    anyhow::ensure!(MEASURES.iter().any(|(name, ..)| chosen(name)), "no such measurement: --only {:?}", shape.only);
    let ids: Arc<[u64]> = seed(target).await?.into();
    for (name, requests, goal) in MEASURES.into_iter().filter(|(name, ..)| chosen(name)) {
        let meter = Arc::new(Meter::default());
        let mut tasks = JoinSet::new();
        for number in 0..shape.connections.max(1) {
            let connection = Connection::open(target.door()).await?;
            let client = Client { connection, ids: ids.clone(), count: number * 7 };
            tasks.spawn(client.run(requests, meter.clone()));
        }
        let sample = meter.window(target, plan, &mut tasks).await.with_context(|| name)?;
        let measure = Measure::of(format!("items.{name}"), "request", &sample);
        measures.push(measure.goal("per_second", Limit::AtLeast, goal).show());
    }
    Ok(())
}

async fn seed(target: &Target) -> anyhow::Result<Vec<u64>> {
    let items = Value::from_iter((0..SEED).map(item)).to_string();
    let mut connection = Connection::open(target.door()).await?;
    let created = connection.send("POST", "/api/items/bulk", &items, 201).await?;
    let created: Vec<Value> = serde_json::from_slice(created).context("not the items that were created")?;
    anyhow::ensure!(created.len() == SEED, "{} items were created instead of {SEED}", created.len());
    let listed = connection.send("GET", "/api/items/?limit=50", "", 200).await?;
    let listed: Vec<Value> = serde_json::from_slice(listed).context("not a list of items")?;
    anyhow::ensure!(listed.len() == BULK, "{} items were listed instead of {BULK}", listed.len());
    created.iter().map(|item| item["id"].as_u64().context("an item without an id")).collect()
}

/// One connection with one request under way.
struct Client {
    connection: Connection,
    ids: Arc<[u64]>,
    count: usize,
}

impl Client {
    async fn run(mut self, requests: &'static [Kind], meter: Arc<Meter>) -> anyhow::Result<()> {
        let bulk = Value::from_iter((0..BULK).map(item)).to_string();
        for kind in requests.iter().cycle().skip(self.count % requests.len()) {
            let start = Instant::now();
            self.request(*kind, &bulk).await?;
            meter.record(1, std::iter::once(start.elapsed()));
        }
        Ok(())
    }

    async fn request(&mut self, kind: Kind, bulk: &str) -> anyhow::Result<()> {
        self.count += 1;
        // A step that shares no factor with the number of items comes by all of them in no obvious order.
        let id = self.ids.get(self.count * 619 % self.ids.len()).copied().unwrap_or_default();
        let one = |id| format!("/api/items/{id}");
        let answer = match kind {
            Create => self.connection.send("POST", "/api/items/", &item(self.count).to_string(), 201).await?,
            Update => {
                let change = json!({"title": format!("Changed {}", self.count), "status": "pending"}).to_string();
                self.connection.send("PUT", &one(id), &change, 200).await?
            }
            Read => self.connection.send("GET", &one(id), "", 200).await?,
            List => self.connection.send("GET", "/api/items/?limit=50", "", 200).await?,
            Bulk => self.connection.send("POST", "/api/items/bulk", bulk, 201).await?,
        };
        anyhow::ensure!(!answer.is_empty(), "an answer without a body");
        Ok(())
    }
}

fn item(number: usize) -> Value {
    let description = "Drawn up for a measurement: long enough to be like what people write into such a field.";
    json!({"title": format!("Item {number}"), "description": description})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mix_is_what_it_says() {
        let count = |kind: fn(&Kind) -> bool| MIX.iter().filter(|other| kind(other)).count();
        assert_eq!(count(|kind| matches!(kind, Read)), 12);
        assert_eq!(count(|kind| matches!(kind, List)), 3);
        assert_eq!(count(|kind| matches!(kind, Create)), 3);
        assert_eq!(count(|kind| matches!(kind, Update)), 2);
    }
}
