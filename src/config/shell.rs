//! What a person has set of the shell: `shell.toml` in the configuration folder.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::{edit, paths};
use crate::error::{Error, Result, nearest};
use crate::text::safe;

/// A setting.
#[derive(Debug)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// What it can be; nothing: any text.
    pub choices: &'static [&'static str],
    /// What it is where nobody says.
    pub default: &'static str,
    /// What it does, in one line.
    pub help: &'static str,
}

/// All of them.
pub const SETTINGS: [Setting; 6] = [
    Setting {
        name: "dates",
        choices: &["relative", "exact"],
        default: "relative",
        help: "How the rows of tables tell times: `2 hours ago`, or as they are",
    },
    Setting { name: "edit-mode", choices: &["emacs", "vi"], default: "emacs", help: "What keys do at the prompt" },
    Setting {
        name: "expanded",
        choices: &["off", "on"],
        default: "off",
        help: "Show each row of a table as lines of name and value; \\x turns it on and off for a session",
    },
    Setting {
        name: "pager",
        choices: &["on", "off"],
        default: "on",
        help: "Show what is longer than the screen by $PAGER, or less",
    },
    Setting {
        name: "prompt",
        choices: &[],
        default: "orysh {place}{state}{danger}{status} ",
        help: "The prompt: {place}, {server}, {state} (signed out), {danger} (! on production), {status} (>), {took} (of the last line, where it was slow)",
    },
    Setting { name: "slow", choices: &[], default: "500ms", help: "A line that takes longer is told so" },
];

/// What stands in a prompt for what is another each time, in braces.
pub const IN_PROMPT: [&str; 6] = ["place", "server", "state", "danger", "status", "took"];

/// What is set, by the names of the settings.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Settings(BTreeMap<String, String>);

impl Settings {
    /// Reads them. Errors are of usage: the file is broken, or says what cannot be.
    pub fn read() -> Result<Self> {
        let path = file()?;
        let text = edit::text(&path)?;
        let table = edit::parse(&text, &path)?;
        let each = table.iter().map(|(name, item)| {
            let (name, at): (&str, _) = (name.get_ref(), edit::position(&text, item.span().start));
            let about = |error: Error| error.about(format!("{}, {at}", path.display())).at(at);
            let value =
                item.get_ref().as_str().ok_or_else(|| about(Error::usage(format!("`{}` wants text", safe(name)))))?;
            check(name, value).map_err(about)?;
            Ok((name.to_owned(), value.to_owned()))
        });
        each.collect::<Result<_>>().map(Settings)
    }

    /// What one is.
    pub fn get(&self, name: &str) -> &str {
        let default = SETTINGS.iter().find(|setting| setting.name == name).map_or("", |setting| setting.default);
        self.0.get(name).map_or(default, String::as_str)
    }

    /// Whether one is as it is where nobody says.
    pub fn is_default(&self, name: &str) -> bool {
        !self.0.contains_key(name)
    }

    /// Whether one that is on or off is on.
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name) == "on"
    }

    /// How long a line may take before it is told.
    pub fn slow(&self) -> Duration {
        humantime::parse_duration(self.get("slow")).unwrap_or(Duration::from_millis(500))
    }

    /// The same, where one is another for as long as the shell runs.
    pub fn turn(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }
}

/// Keeps what one is from now on; nothing puts it back to what it is where nobody says. Errors are of usage.
pub fn set(name: &str, value: Option<&str>) -> Result<()> {
    if let Some(value) = value {
        check(name, value)?;
    }
    known(name)?;
    edit::change(&file()?, |document| {
        match value {
            Some(value) => edit::set(document.as_table_mut(), name, value),
            None => drop(document.remove(name)),
        }
        Ok(())
    })
}

fn known(name: &str) -> Result<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name).ok_or_else(|| {
        let near = nearest(name, SETTINGS.iter().map(|setting| setting.name));
        Error::usage(format!("there is no setting `{}`", safe(name))).did_you_mean(near)
    })
}

fn check(name: &str, value: &str) -> Result<()> {
    let setting = known(name)?;
    if !setting.choices.is_empty() && !setting.choices.contains(&value) {
        let choices = setting.choices.join(" or ");
        return Err(Error::usage(format!("`{name}` is {choices}, not `{}`", safe(value))));
    }
    if name == "prompt" {
        let named = value.split('{').skip(1).map(|rest| rest.split_once('}').map_or(rest, |(part, _)| part));
        let is_open = value.rfind('{') > value.rfind('}');
        if is_open {
            return Err(Error::usage("`prompt` has a `{` that no `}` follows").hint("as '{place}> '"));
        }
        if let Some(wrong) = named.into_iter().find(|part| !IN_PROMPT.contains(part)) {
            return Err(Error::usage(format!("`prompt` knows no `{{{}}}`", safe(wrong)))
                .did_you_mean(nearest(wrong, IN_PROMPT))
                .hint(format!("it knows {}", IN_PROMPT.map(|name| format!("{{{name}}}")).join(", "))));
        }
    }
    if name == "slow" && humantime::parse_duration(value).is_err() {
        return Err(
            Error::usage(format!("`slow` wants a length of time, not `{}`", safe(value))).hint("as 500ms, or 2s")
        );
    }
    Ok(())
}

fn file() -> Result<PathBuf> {
    Ok(paths::config()?.join("shell.toml"))
}
