//! `plugin test`: every `fn test_…` of a plugin, in its own engine with what it asks to be granted, on a fresh sandbox.

use std::path::Path;
use std::sync::Arc;

use clap::{Arg, ArgAction};

use super::{entry, is_place, trust_arg};
use crate::commands::script::test::{Test, limits, limits_args, run_tests};
use crate::error::{Error, Result};
use crate::grammar::{Args, Audience, Command, Host};
use crate::output::outcome::Outcome;
use crate::plugin::content::Content;
use crate::plugin::known::of_team;
use crate::plugin::loaded::Plugin;
use crate::plugin::manifest::Manifest;
use crate::plugin::store;
use crate::plugin::team;
use crate::script::engine::Context;
use crate::script::errors::Source;
use crate::script::testing;
use crate::text::safe;

/// The command.
pub fn command() -> Command {
    Command::new(["plugin", "test"], "Run the tests of plugins, each on a fresh sandbox", run)
        .offline()
        .only_for(Audience::People)
        .args(|| {
            let mut args = limits_args();
            args.extend([
                trust_arg(),
                Arg::new("name")
                    .value_name("PATH|PLUGIN")
                    .action(ArgAction::Append)
                    .required(true)
                    .help("The folder of a plugin, or one that is installed or listed by the repository (can be repeated)"),
            ]);
            args
        })
        .after(
            "\
Examples:
  orysh plugin test plugins/naming

A test is a function without parameters whose name begins with test_, in any of its files. What the plugin may not do, its tests
may not either; what reaches beyond the sandbox and fs::temp() they may where it is installed or trusted. What is configured is as
by default.",
        )
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let limits = limits(args)?;
    let mut tests = Vec::new();
    for name in args.texts("name") {
        let (folder, is_trusted) = match team::found()?.filter(|team| team.plugins.contains_key(&name)) {
            Some(team) => {
                let lock = store::entries(&team.lock())?;
                let plugin = of_team(&team, &name, &team.plugins[&name], lock.get(&name))?;
                let is_trusted = team::is_trusted(&plugin.trust_key())?;
                (plugin.folder, is_trusted)
            }
            None if is_place(&name) => (Path::new(&name).to_owned(), false),
            None => (store::place(&entry(&name)?.hash)?, false),
        };
        let files = Arc::new(Content::read(&folder)?);
        let mut manifest = Manifest::of(&files).map_err(|error| error.about(safe(&name)))?;
        let hash = files.hash();
        let is_granted = is_trusted
            || args.texts("trust").contains(&hash)
            || entry(&manifest.name).is_ok_and(|installed| installed.hash == hash);
        let inside = manifest.grant.in_sandbox();
        if !is_granted && inside != manifest.grant {
            host.session.ui().note(&format!(
                "plugin `{}` was not granted what it asks for: its tests reach no network, files, variables, persons and other plugins (--trust {hash} grants it)",
                safe(&manifest.name)
            ));
            manifest.grant = inside;
        }
        let plugin = Plugin::new(manifest, hash, folder, name, (std::collections::BTreeMap::default(), false));
        let _ = plugin.registry.set(Arc::downgrade(&host.registry));
        // What it names and has not is told before any test.
        plugin.check(&host.session)?;
        let plugin = Arc::new(plugin);
        for (path, bytes) in
            files.files().filter(|(path, _)| Path::new(path).extension().is_some_and(|kind| kind == "rhai"))
        {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let script = format!("{}/{path}", plugin.manifest.name);
            let context = Context::new(host.clone());
            let prepare = |engine: &mut rhai::Engine| {
                plugin.prepare(engine, &files, &context);
                Ok(())
            };
            for name in testing::names(&context, Source { name: &script, text: &text }, &prepare)? {
                let plugin = Some(Arc::clone(&plugin));
                tests.push(Test { script: script.clone(), text: text.clone(), name, plugin });
            }
        }
    }
    if tests.is_empty() {
        return Err(Error::usage("there is no test").hint("a test is a function whose name begins with test_"));
    }
    run_tests(host, tests, Vec::new(), limits)
}
