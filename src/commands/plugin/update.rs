//! `plugin update`: takes a plugin's newer content over, and asks again where it wants more than before.

use serde_json::json;

use super::difference::{beyond, changes};
use super::{entry, name_arg, obtain, trust_arg};
use crate::error::{Error, Result};
use crate::grammar::{Args, Audience, Command, Host};
use crate::output::outcome::{Outcome, Row};
use crate::plugin::content::Content;
use crate::plugin::git::Source;
use crate::plugin::known::{asks, demand_locked};
use crate::plugin::manifest::Manifest;
use crate::plugin::store;
use crate::text::safe;

/// The command.
pub fn command() -> Command {
    Command::new(["plugin", "update"], "Take the newer content of a plugin over", run)
        .offline()
        .only_for(Audience::People)
        .args(|| vec![trust_arg(), name_arg("The plugin")])
        .after(
            "\
Examples:
  orysh plugin update naming

What changed of its files and of what it asks for is shown. Where it asks for more than it was granted, that is asked about.",
        )
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    host.session.changes_plugins();
    let ui = host.session.ui();
    let name = args.text("name").unwrap_or_default();
    let before = entry(name)?;
    let obtained = obtain(&Source::parse(&before.source)?)?;
    let row = json!({"name": name, "version": obtained.manifest.version, "hash": obtained.hash});
    let outcome = Outcome::one(Row::value(row).with_id(name), &[]);
    if obtained.hash == before.hash && !store::is_whole(&before.hash) {
        store::install(&obtained.manifest, &obtained.content, &before, Vec::new())?;
        ui.note(&format!("plugin `{name}` is as it was granted again: its files were changed, or gone"));
        return Ok(outcome);
    }
    if obtained.hash == before.hash && demand_locked(&obtained.manifest, &before).is_err() {
        obtained.demand_trust(ui, args, &asks(&obtained.manifest))?;
        let entry = store::Entry { enabled: before.enabled, ..obtained.entry() };
        store::install(&obtained.manifest, &obtained.content, &entry, Vec::new())?;
        ui.note(&format!("plugin `{name}` is locked as it is again: the lock was changed"));
        return Ok(outcome);
    }
    if obtained.hash == before.hash {
        ui.note(&format!("plugin `{name}` is as it was"));
        return Ok(outcome);
    }
    if obtained.manifest.name != name {
        let wrong =
            format!("plugin `{name}` calls itself `{}` by now: it is another one", safe(&obtained.manifest.name));
        return Err(Error::usage(wrong).hint("`plugin install` takes it over under that name, and asks what it may do"));
    }
    obtained.demand_place()?;
    obtained.demand_code(host)?;
    store::demand_fitting(&obtained.manifest, &[], &before.source)?;
    // They may be gone as well as changed.
    let old = Content::read(&store::place(&before.hash)?).ok();
    for line in old.iter().flat_map(|old| changes(old, &obtained.content)) {
        ui.line(&line);
    }
    let more = if let Some(old) = old.filter(|old| old.hash() == before.hash) {
        beyond(&obtained.manifest, &Manifest::of(&old)?)
    } else {
        // What is there now is not what was granted: nobody knows what that was.
        ui.warn(&format!(
            "the files of plugin `{name}` are not those that were granted: all that it asks for is asked about"
        ));
        vec![asks(&obtained.manifest)]
    };
    if more.is_empty() {
        ui.note("it asks for nothing more than before");
    } else {
        obtained.demand_trust(ui, args, &more.join("\n  "))?;
    }
    let entry = store::Entry { enabled: before.enabled, ..obtained.entry() };
    store::install(&obtained.manifest, &obtained.content, &entry, Vec::new())?;
    ui.note(&format!(
        "plugin `{name}` is at {} now, it was at {}",
        safe(&obtained.manifest.version),
        safe(&before.version)
    ));
    Ok(outcome)
}
