//! The commands and their flags as a tree, for what looks at a line with each key.

use std::collections::HashMap;

use clap::Arg;

use crate::grammar::Registry;

/// A verb, a noun, or all of it.
#[derive(Debug, Default)]
pub struct Node {
    words: HashMap<String, Node>,
    flags: HashMap<String, Flag>,
    /// What its words that are no flags can be, each; nothing: any text.
    positionals: Vec<Vec<String>>,
    /// Whether what stands behind it is its own: words that are no flags of ours may follow.
    takes_all: bool,
}

/// A flag.
#[derive(Clone, Debug)]
pub struct Flag {
    /// Whether a value follows it.
    pub takes_value: bool,
    /// What it is for, in one line.
    pub about: String,
    /// All that its value can be; nothing: any text.
    choices: Vec<String>,
}

impl Flag {
    /// Whether its value cannot be this.
    pub fn refuses(&self, value: &str) -> bool {
        is_none_of(&self.choices, value)
    }
}

/// Whether there are choices, and a value is none of them.
fn is_none_of(choices: &[String], value: &str) -> bool {
    !choices.is_empty() && !choices.iter().any(|choice| choice == value)
}

fn choices(arg: &Arg) -> Vec<String> {
    let values = if arg.get_action().takes_values() { arg.get_possible_values() } else { Vec::new() };
    values.iter().map(|value| value.get_name().to_owned()).collect()
}

impl Node {
    /// The whole tree.
    pub fn of(registry: &Registry) -> Self {
        Node::of_command(registry.tree())
    }

    fn of_command(command: &clap::Command) -> Self {
        let mut words = HashMap::new();
        for inner in command.get_subcommands() {
            for name in inner.get_name_and_visible_aliases().into_iter().chain(inner.get_all_aliases()) {
                words.insert(name.to_owned(), Node::of_command(inner));
            }
        }
        let mut flags = HashMap::new();
        for arg in command.get_arguments().filter(|arg| !arg.is_positional()) {
            let takes_value = arg.get_action().takes_values() && !arg.is_require_equals_set();
            let flag = Flag { takes_value, about: line(arg), choices: choices(arg) };
            let longs = arg.get_long_and_visible_aliases().into_iter().flatten();
            for name in longs.chain(arg.get_all_aliases().into_iter().flatten()) {
                flags.insert(format!("--{name}"), flag.clone());
            }
            let shorts = arg.get_short_and_visible_aliases().into_iter().flatten();
            flags.extend(shorts.map(|short| (format!("-{short}"), flag.clone())));
        }
        let help = Flag { takes_value: false, about: "Print help".into(), choices: Vec::new() };
        flags.extend(["--help", "-h"].map(|name| (name.to_owned(), help.clone())));
        let takes_all = command.get_positionals().any(Arg::is_trailing_var_arg_set);
        Node { words, flags, positionals: command.get_positionals().map(choices).collect(), takes_all }
    }

    /// What is called so below it.
    pub fn word(&self, name: &str) -> Option<&Node> {
        self.words.get(name)
    }

    /// Whether its word of this number, which is no flag, cannot be this.
    pub fn refuses(&self, at: usize, word: &str) -> bool {
        self.positionals.get(at).is_some_and(|choices| is_none_of(choices, word))
    }

    /// Whether something has to follow.
    pub fn is_group(&self) -> bool {
        !self.words.is_empty()
    }

    /// Whether words that look like flags may be somebody else's.
    pub fn takes_all(&self) -> bool {
        self.takes_all
    }

    /// A flag of its own, as it is typed, without `=` and what follows.
    pub fn flag(&self, word: &str) -> Option<&Flag> {
        let name = word.split('=').next().unwrap_or(word);
        self.flags.get(name).or_else(|| {
            // `-n5`, `-qy`: the first of them counts.
            let first = name.strip_prefix('-').filter(|rest| !rest.starts_with('-'))?.chars().next()?;
            self.flags.get(&format!("-{first}"))
        })
    }

    /// The only flag that begins so, and what is missing of its name.
    pub fn only_flag(&self, begun: &str) -> Option<(&str, &Flag)> {
        let mut all = self.flags.iter().filter(|(name, _)| name.starts_with(begun));
        let (name, flag) = all.next()?;
        all.next().is_none().then(|| (&name[begun.len()..], flag))
    }
}

fn line(arg: &Arg) -> String {
    arg.get_help().map(|help| help.to_string().lines().next().unwrap_or_default().to_owned()).unwrap_or_default()
}
