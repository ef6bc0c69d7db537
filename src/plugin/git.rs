//! Plugins from repositories, by the system's `git`: nothing of the repository is run, and nothing of the user's own settings is
//! used but how servers are reached.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::env;
use crate::error::{Error, Result};
use crate::text::safe;
use crate::ui;

/// Where a plugin comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Source {
    /// A folder.
    Path(String),
    /// A repository, and the revision that is wanted of it.
    Git {
        /// Its address.
        url: String,
        /// A branch, a tag or a commit; none: what the repository shows by itself.
        rev: Option<String>,
    },
}

/// How a repository is reached.
const SCHEMES: [&str; 3] = ["https", "ssh", "file"];

impl Source {
    /// `PATH`, or `URL[@rev]` of https, ssh or file. Errors are of usage: another scheme; a revision that reads as a flag.
    pub fn parse(text: &str) -> Result<Source> {
        let Some((_, rest)) = text.split_once("://") else { return Ok(Source::Path(text.to_owned())) };
        // In the path; what stands before the host is a user.
        let path = rest.find('/').unwrap_or(rest.len());
        let (url, rev) = match rest[path..].rfind('@') {
            Some(at) => {
                (text[..text.len() - rest.len() + path + at].to_owned(), Some(rest[path + at + 1..].to_owned()))
            }
            None => (text.to_owned(), None),
        };
        Source::git(url, rev)
    }

    /// The same of a repository, whose revision is said apart.
    pub fn git(url: String, rev: Option<String>) -> Result<Source> {
        let scheme = url.split("://").next().unwrap_or_default();
        if !SCHEMES.contains(&scheme) {
            return Err(Error::usage(format!("a plugin does not come by {}", safe(scheme)))
                .hint("name a folder, or a repository by https://, ssh:// or file://"));
        }
        if let Some(rev) = &rev {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
            if rev.is_empty() || rev.starts_with('-') || rev.contains("..") || !rev.chars().all(is_plain) {
                return Err(Error::usage(format!("`{}` is no revision", safe(rev))));
            }
        }
        Ok(Source::Git { url, rev })
    }

    /// As it is written.
    pub fn told(&self) -> String {
        match self {
            Source::Path(path) => path.clone(),
            Source::Git { url, rev: Some(rev) } => format!("{url}@{rev}"),
            Source::Git { url, rev: None } => url.clone(),
        }
    }
}

/// Settings that keep a repository from doing anything.
const SETTINGS: [(&str, &str); 14] = [
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.symlinks", "false"),
    ("protocol.allow", "never"),
    ("protocol.ext.allow", "never"),
    ("protocol.https.allow", "always"),
    ("protocol.ssh.allow", "always"),
    ("protocol.file.allow", "always"),
    ("transfer.fsckObjects", "true"),
    ("submodule.recurse", "false"),
    // The content is what its author has hashed, on every machine.
    ("core.autocrlf", "false"),
    ("core.eol", "lf"),
    ("core.attributesFile", "/dev/null"),
    ("core.excludesFile", "/dev/null"),
];

/// How long one step may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often it is looked whether it has ended.
const GLANCE: Duration = Duration::from_millis(20);

/// Fetches one revision of a repository into a new folder. Gives its commit.
///
/// Errors: there is no `git`; what it says.
pub fn fetch(url: &str, rev: Option<&str>, into: &Path) -> Result<String> {
    let folder = into.display().to_string();
    git(&["init", "--quiet", "--template=", "--", &folder], None)?;
    git(
        &["fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--", url, rev.unwrap_or("HEAD")],
        Some(into),
    )?;
    git(&["checkout", "--quiet", "--detach", "FETCH_HEAD"], Some(into))?;
    Ok(git(&["rev-parse", "HEAD"], Some(into))?.trim().to_owned())
}

fn git(args: &[&str], folder: Option<&Path>) -> Result<String> {
    let mut command = Command::new("git");
    command.args(args).stdin(Stdio::null());
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    // Within a hook of git these are of the user's own repository.
    for name in env::names_that_begin("GIT_") {
        command.env_remove(name);
    }
    command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_LFS_SKIP_SMUDGE", "1");
    command.env("GIT_CONFIG_GLOBAL", "/dev/null");
    // How servers are reached is the user's to say, and nothing else. Credentials are in it: anybody reads arguments.
    let reaching = if args.first() == Some(&"fetch") { reaching() } else { Vec::new() };
    let settings = SETTINGS.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let all: Vec<(String, String)> = settings.into_iter().chain(reaching).collect();
    command.env("GIT_CONFIG_COUNT", all.len().to_string());
    for (at, (key, value)) in all.iter().enumerate() {
        command.env(format!("GIT_CONFIG_KEY_{at}"), key).env(format!("GIT_CONFIG_VALUE_{at}"), value);
    }
    let output = output_of(&mut command)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).take(5).collect();
    Err(Error::failed(format!("git: {}", safe(said.join("; ").trim()))))
}

/// The user's own settings of how servers are reached: credentials, proxies, authorities. None where there are none.
fn reaching() -> Vec<(String, String)> {
    let mut command = Command::new("git");
    command.args(["config", "--global", "--null", "--get-regexp", "^(credential|http)[.]"]).stdin(Stdio::null());
    let told = output_of(&mut command).map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let told = told.unwrap_or_default();
    let each = told.split('\0').filter_map(|entry| entry.split_once('\n'));
    each.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// What it comes to, within its time. Errors: it took longer, or was interrupted.
fn output_of(command: &mut Command) -> Result<Output> {
    let missing = |source: std::io::Error| {
        Error::failed("git cannot be run").caused_by(source).hint("plugins from repositories need git: install it")
    };
    // What it starts itself ends with it.
    command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().map_err(missing)?;
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let (tell, told) = channel();
    thread::spawn(move || tell.send(child.wait_with_output()));
    let began = Instant::now();
    loop {
        match told.recv_timeout(GLANCE) {
            Ok(output) => return output.map_err(missing),
            Err(_) if began.elapsed() < PATIENCE && !ui::is_interrupted() => {}
            Err(_) => {
                if let Some(group) = group {
                    // It may have ended just now.
                    let _ = kill_process_group(group, Signal::KILL);
                }
                return Err(if ui::is_interrupted() {
                    Error::interrupted()
                } else {
                    Error::failed(format!("git: no answer within {} s", PATIENCE.as_secs()))
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_folders_and_revisions_from_users() {
        let git = |url: &str, rev: Option<&str>| Source::Git { url: url.into(), rev: rev.map(str::to_owned) };
        for (text, due) in [
            ("./a@b", Source::Path("./a@b".into())),
            ("https://h.example/a.git", git("https://h.example/a.git", None)),
            ("https://h.example/a.git@v1.0", git("https://h.example/a.git", Some("v1.0"))),
            ("ssh://git@h.example/a", git("ssh://git@h.example/a", None)),
            ("ssh://git@h.example/a@main", git("ssh://git@h.example/a", Some("main"))),
        ] {
            assert_eq!(Source::parse(text).unwrap(), due, "{text}");
            assert_eq!(Source::parse(text).unwrap().told(), text);
        }
        for wrong in [
            "http://h.example/a",
            "ext://sh -c x",
            "https://h.example/a@--upload-pack=x",
            "https://h/a@",
            "https://h/a@a..b",
        ] {
            assert!(Source::parse(wrong).is_err(), "{wrong}");
        }
    }
}
