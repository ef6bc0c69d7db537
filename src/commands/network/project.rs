//! `list projects`, `get project`, `use project`.

use clap::Arg;
use serde_json::Value;

use super::{act_on_it, at, may_choose, row, selection, told_where};
use crate::api::console::{Console, Place, pick};
use crate::config::ory;
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::{Column, Outcome};
use crate::session::Session;
use crate::session::target::{Given, Layer, Network};

const COLUMNS: &[Column] = &[
    Column { title: "ID", member: "id" },
    Column { title: "SLUG", member: "slug" },
    Column { title: "STATE", member: "state" },
    Column { title: "NAME", member: "name" },
    Column { title: "ENVIRONMENT", member: "environment" },
    Column { title: "WORKSPACE", member: "workspace_id" },
];

const ALIASES: &[&str] = &["projects"];

/// `list projects`.
pub fn list() -> Command {
    Command::new(["list", "projects"], "List the projects of Ory Network", all).runs_dry().aliases(&["project"]).after(
        "\
Examples:
  orysh list projects
  orysh list projects --workspace Acme -q",
    )
}

/// `get project`.
pub fn get() -> Command {
    Command::new(["get", "project"], "Show a project of Ory Network", one)
        .runs_dry()
        .aliases(ALIASES)
        .args(|| vec![place_arg()])
        .after(
            "\
Examples:
  orysh get project happy-hill
  orysh get project --format json",
        )
}

/// `use project`.
pub fn select() -> Command {
    Command::new(["use", "project"], "Act on a project of Ory Network from now on", choose)
        .aliases(ALIASES)
        .args(|| vec![place_arg().required(true)])
        .after(
            "\
Examples:
  orysh use project happy-hill

It is selected for the Ory CLI as well. An exact slug or id wins over what it begins.",
        )
}

fn place_arg() -> Arg {
    Arg::new("place").value_name("PROJECT").help("Id, or slug, or the beginning of either [default: the one in use]")
}

/// The projects of the workspace that is named, else all.
fn documents(session: &Session, network: &Network, console: &Console) -> Result<Vec<Value>> {
    session.wait(async {
        match &network.workspace {
            Some(wanted) => {
                let workspaces = console.workspaces().await?;
                let id = pick(&workspaces, wanted, "workspace")?.id.clone();
                console.documents(&["workspaces", &id, "projects"], "projects").await
            }
            None => console.documents(&["projects"], "projects").await,
        }
    })
}

fn all(host: &Host, _args: &Args) -> Result<Outcome> {
    let (network, console) = at(&host.session)?;
    let found = documents(&host.session, &network, &console)?;
    Ok(Outcome::many(found.into_iter().map(|document| Ok(row(document))), COLUMNS))
}

/// The project that is wanted, else the one in use, as the console tells it in full.
fn wanted(host: &Host, args: &Args) -> Result<(Network, Place, Value)> {
    let (network, console) = at(&host.session)?;
    let wanted = args.text("place").map(str::to_owned).or_else(|| network.project.clone());
    // A name is looked for everywhere, unless a flag or variable says in which workspace.
    let is_selected = host.session.chosen()?.layer == Layer::OryCli;
    let everywhere = Network { workspace: None, ..network.clone() };
    let among = if is_selected && args.text("place").is_some() { &everywhere } else { &network };
    let documents = documents(&host.session, among, &console)?;
    let places: Vec<Place> = documents.iter().filter_map(|document| Place::of(document, "slug")).collect();
    let place = match (wanted, places.as_slice()) {
        (Some(wanted), _) => pick(&places, &wanted, "project")?.clone(),
        (None, [only]) => only.clone(),
        (None, _) => {
            return Err(Error::usage("no project is in use").hint("name one: id, slug, or the beginning of either"));
        }
    };
    let document = host.session.wait(async {
        console.document(&["projects", &place.id], &format!("cannot get project `{}`", place.name)).await
    })?;
    let document =
        document.ok_or_else(|| Error::failed(format!("project `{}` is gone", place.name)).with_status(404))?;
    Ok((network, place, document))
}

fn one(host: &Host, args: &Args) -> Result<Outcome> {
    let (_, _, document) = wanted(host, args)?;
    Ok(Outcome::one(row(document), COLUMNS))
}

fn choose(host: &Host, args: &Args) -> Result<Outcome> {
    may_choose(host, "project", |profile| profile.project.is_some() || profile.workspace.is_some())?;
    let (network, place, document) = wanted(host, args)?;
    ory::change(selection(&network)?, |members| {
        members.insert("selected_project".into(), place.id.as_str().into());
    })?;
    act_on_it(host, Given { project: Some(place.id.clone()), ..Given::default() })?;
    let ui = host.session.ui();
    ui.note(&format!("project {} is in use", place.name));
    told_where(host, args);
    if matches!(place.state.as_str(), "halted" | "deleted") {
        ui.warn(&format!("project {} is {}: its API does not answer", place.name, place.state));
    }
    Ok(Outcome::one(row(document), COLUMNS))
}
