//! One measurement after the other.

use anyhow::Context;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::{
    broadcast,
    cli::{Args, What},
    compare, crowd, idle, items, joins, others, relay,
    report::{Measure, Report},
    resume,
    target::Target,
};

/// Runs what the command line asks for. Every kind of measurement gets a server of its own, unless a running one was
/// named; one that fails is in the report with its reason, and the others go on.
pub async fn run(args: &Args) -> Report {
    let all = [
        What::Relay(relay::Shape::default()),
        What::Broadcast(broadcast::Shape::default()),
        What::Joins(joins::Shape::default()),
        What::Idle(idle::Shape::default()),
        What::Resume(resume::Shape::default()),
        What::Resume(resume::Shape { killed: true, ..resume::Shape::default() }),
        What::Crowd(crowd::Shape::default()),
        What::Others(others::Shape::default()),
        What::Compare(compare::Shape::default()),
        What::Items(items::Shape::default()),
    ];
    let chosen = match &args.what {
        What::All => &all[..],
        one => std::slice::from_ref(one),
    };
    let mut report = Report::new(args.server.name(), args.seconds, args.server.pin);
    let is_all = matches!(args.what, What::All);
    for what in chosen.iter().filter(|what| !is_all || args.server.starts_one() || !what.needs_own_server()) {
        let mut measures = Vec::new();
        if let Err(error) = one(args, what, &mut measures).await {
            measures.push(Measure::failed(what.name(), &error));
        }
        report.add(measures);
    }
    report
}

async fn one(args: &Args, what: &What, measures: &mut Vec<Measure>) -> anyhow::Result<()> {
    let (plan, mut server) = (args.plan(), args.server.clone());
    match what {
        What::Compare(shape) => return compare::measure(&server, plan, shape, measures).await,
        What::Idle(shape) if shape.compare => return idle::compare(&server, shape, measures).await,
        // What keeps somebody from hurting others is part of it.
        What::Crowd(_) | What::Others(_) => server.limit(true),
        _ => {}
    }
    let mut target = Target::new(&server).await?;
    match what {
        What::All | What::Compare(_) => {}
        What::Relay(shape) => relay::measure(&target, plan, shape, measures).await?,
        What::Broadcast(shape) => broadcast::measure(&target, plan, shape, measures).await?,
        What::Joins(shape) => joins::measure(&target, plan, shape, measures).await?,
        What::Idle(shape) => idle::measure(&target, shape, measures).await?,
        What::Resume(shape) => resume::measure(&mut target, shape, measures).await?,
        What::Crowd(shape) => crowd::measure(&target, plan, shape, measures).await?,
        What::Others(shape) => others::measure(&target, plan, shape, measures).await?,
        What::Items(shape) => items::measure(&target, plan, shape, measures).await?,
    }
    target.stop().await
}

/// Lets this process, and the server that it starts, open as many files as they may at most.
///
/// # Errors
/// When the system refuses it.
pub fn raise_open_files() -> anyhow::Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).context("can't read the limit of open files")?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most).context("can't raise the limit of open files")
}
