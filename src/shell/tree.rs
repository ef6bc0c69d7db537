//! The commands and their flags as a tree, for what looks at a line with each key.

use std::collections::HashMap;

use clap::Arg;

use crate::grammar::Registry;

/// A verb, a noun, or all of it.
#[derive(Debug, Default)]
pub struct Node {
    words: HashMap<String, Node>,
    flags: HashMap<String, Flag>,
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
            let flag = Flag { takes_value: arg.get_action().takes_values(), about: line(arg) };
            let longs = arg.get_long_and_visible_aliases().into_iter().flatten();
            for name in longs.chain(arg.get_all_aliases().into_iter().flatten()) {
                flags.insert(format!("--{name}"), flag.clone());
            }
            let shorts = arg.get_short_and_visible_aliases().into_iter().flatten();
            flags.extend(shorts.map(|short| (format!("-{short}"), flag.clone())));
        }
        flags.insert("--help".into(), Flag { takes_value: false, about: "Print help".into() });
        flags.insert("-h".into(), Flag { takes_value: false, about: "Print help".into() });
        let takes_all = command.get_positionals().any(Arg::is_trailing_var_arg_set);
        Node { words, flags, takes_all }
    }

    /// What is called so below it.
    pub fn word(&self, name: &str) -> Option<&Node> {
        self.words.get(name)
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
