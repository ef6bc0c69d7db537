//! `list workspaces`, `get workspace`, `use workspace`.

use clap::Arg;
use serde_json::Value;

use super::{act_on_it, at, may_choose, row, selection, told_where};
use crate::api::console::{Place, pick};
use crate::config::ory;
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::{Column, Outcome};
use crate::session::target::{Given, Network};

const COLUMNS: &[Column] = &[
    Column { title: "ID", member: "id" },
    Column { title: "NAME", member: "name" },
    Column { title: "SUBSCRIPTION PLAN", member: "subscription_plan" },
];

const ALIASES: &[&str] = &["workspaces"];

/// `list workspaces`.
pub fn list() -> Command {
    Command::new(["list", "workspaces"], "List the workspaces of Ory Network", all)
        .runs_dry()
        .aliases(&["workspace"])
        .after(
            "\
Examples:
  orysh list workspaces",
        )
}

/// `get workspace`.
pub fn get() -> Command {
    Command::new(["get", "workspace"], "Show a workspace of Ory Network", one)
        .runs_dry()
        .aliases(ALIASES)
        .args(|| vec![place_arg()])
        .after(
            "\
Examples:
  orysh get workspace Globex",
        )
}

/// `use workspace`.
pub fn select() -> Command {
    Command::new(["use", "workspace"], "Look for projects in a workspace from now on", choose)
        .aliases(ALIASES)
        .args(|| vec![place_arg().required(true)])
        .after(
            "\
Examples:
  orysh use workspace Acme

It is selected for the Ory CLI as well. A project of another workspace is not in use any more.",
        )
}

fn place_arg() -> Arg {
    Arg::new("place").value_name("WORKSPACE").help("Id, or name, or the beginning of either [default: the one in use]")
}

fn all(host: &Host, _args: &Args) -> Result<Outcome> {
    let (_, console) = at(&host.session)?;
    let found = host.session.wait(console.documents(&["workspaces"], "workspaces"))?;
    Ok(Outcome::many(found.into_iter().map(|document| Ok(row(document))), COLUMNS))
}

fn wanted(host: &Host, args: &Args) -> Result<(Network, Place, Value, Vec<Place>)> {
    let (network, console) = at(&host.session)?;
    let documents = host.session.wait(console.documents(&["workspaces"], "workspaces"))?;
    let places: Vec<Place> = documents.iter().filter_map(|document| Place::of(document, "name")).collect();
    let selected = || selection(&network).and_then(ory::read).ok()?.selected_workspace;
    let wanted = args.text("place").map(str::to_owned).or_else(|| network.workspace.clone()).or_else(selected);
    let wanted = wanted.ok_or_else(|| Error::usage("no workspace is in use").hint("name one: id, or name"))?;
    let place = pick(&places, &wanted, "workspace")?.clone();
    let document = documents.into_iter().find(|document| document["id"] == place.id.as_str()).unwrap_or_default();
    let projects = host.session.wait(console.projects_of(&place))?;
    Ok((network, place, document, projects))
}

fn one(host: &Host, args: &Args) -> Result<Outcome> {
    let (_, _, document, _) = wanted(host, args)?;
    Ok(Outcome::one(row(document), COLUMNS))
}

fn choose(host: &Host, args: &Args) -> Result<Outcome> {
    may_choose(host, "workspace", |profile| profile.workspace.is_some())?;
    let (network, place, document, projects) = wanted(host, args)?;
    let file = selection(&network)?;
    let selected = ory::read(file)?.selected_project;
    let is_elsewhere = selected.as_ref().is_some_and(|id| projects.iter().all(|project| project.id != *id));
    ory::change(file, |members| {
        members.insert("selected_workspace".into(), place.id.as_str().into());
        if is_elsewhere {
            members.shift_remove("selected_project");
        }
    })?;
    act_on_it(host, Given { workspace: Some(place.id.clone()), ..Given::default() })?;
    host.session.ui().note(&format!("workspace {} is in use", place.name));
    told_where(host, args);
    if is_elsewhere {
        host.session.ui().note("no project is in use any more: the one that was is in another workspace");
    }
    Ok(Outcome::one(row(document), COLUMNS))
}
