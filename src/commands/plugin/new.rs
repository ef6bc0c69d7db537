//! `plugin new NAME`: a commented start of a plugin, whose tests pass.

use std::path::PathBuf;

use super::name_arg;
use crate::error::{Error, Result};
use crate::grammar::{Args, Audience, Command, Host};
use crate::output::outcome::Outcome;
use crate::plugin::manifest::Manifest;
use crate::text::{safe, shell_word};

/// The files of a new plugin.
const FILES: [(&str, &str); 3] = [
    ("plugin.toml", include_str!("new/plugin.toml")),
    ("main.rhai", include_str!("new/main.rhai")),
    ("README.md", include_str!("new/README.md")),
];

/// The command.
pub fn command() -> Command {
    Command::new(["plugin", "new"], "Begin a plugin: commented, with a command and a test", run)
        .offline()
        .only_for(Audience::People)
        .args(|| vec![name_arg("Its name, and the folder that is made")])
        .after("Examples:\n  orysh plugin new hello && orysh plugin test hello")
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let folder = PathBuf::from(args.text("name").unwrap_or_default());
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // What the manifest would not take is refused before anything is there.
    Manifest::parse(&FILES[0].1.replace("NAME", &name), "plugin.toml")?;
    if host.registry.is_verb(&name) {
        return Err(Error::usage(format!("`{name}` is a command already, and the plugin would have one of its name")));
    }
    let failed = |source: std::io::Error| {
        Error::usage(format!("cannot make {}", safe(&folder.display().to_string()))).caused_by(source)
    };
    std::fs::create_dir(&folder).map_err(failed)?;
    for (file, text) in FILES {
        std::fs::write(folder.join(file), text.replace("FUNCTION", &name.replace('-', "_")).replace("NAME", &name))
            .map_err(failed)?;
    }
    let word = shell_word(&folder.display().to_string());
    host.session.ui().note(&format!("{word}: orysh plugin test {word}, orysh plugin install ./{word}"));
    Ok(Outcome::nothing())
}
