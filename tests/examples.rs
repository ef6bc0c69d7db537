//! README's commands, run one after the other as a reader would.

use std::fs;
use std::path::Path;

use crate::support::anywhere;
use crate::support::tools::tool;

/// The commands of all `console` blocks: lines that begin with `$ `, with the lines that they go on in.
fn commands(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let (mut in_console, mut goes_on) = (false, false);
    for line in text.lines() {
        if line.starts_with("```") {
            in_console = line == "```console";
            goes_on = false;
        } else if in_console && (goes_on || line.starts_with("$ ")) {
            if goes_on {
                let command = found.last_mut().unwrap();
                command.push('\n');
                command.push_str(line.strip_prefix("> ").unwrap_or(line));
            } else {
                found.push(line["$ ".len()..].to_owned());
            }
            goes_on = line.ends_with('\\');
        }
    }
    found
}

#[test]
fn commands_are_found_where_they_are_written() {
    let text = "$ orysh a\n```console\n$ orysh b \\\n>   --c\nout\n$ c | d\n```\n```sh\n$ orysh d\n```\n";
    assert_eq!(commands(text), ["orysh b \\\n  --c", "c | d"]);
}

#[test]
fn the_commands_of_the_readme_work_one_after_the_other() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let program = anywhere();
    let commands = commands(&readme);
    assert!(!commands.is_empty(), "README.md has no command to run");
    let gpg = tool("gpg");
    for command in commands.iter().filter(|command| gpg.is_some() || !command.contains("alice")) {
        let ran = program.sh(command);
        assert_eq!(ran.code, Some(0), "{command}\n{ran}");
    }
    // The agent would outlive its home.
    program.sh("gpgconf --kill all");
}
