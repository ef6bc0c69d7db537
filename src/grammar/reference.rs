//! The reference: one page of every command, made from the same tree that parses them.

use std::fmt::Write as _;

use crate::grammar::command::Registry;
use crate::grammar::parse;

/// The page, as Markdown. The flags that all commands take stand once, at its top.
pub fn markdown(registry: &Registry) -> String {
    let mut page = String::from("# Reference\n\nThis page is what `orysh help reference` prints.\n\n## orysh\n\n");
    let root = parse::root(registry).term_width(120);
    block(&mut page, &root.clone().render_help().to_string());
    let is_global = |arg: &clap::Arg| arg.is_global_set();
    let mut root = root.mut_args(|arg| if is_global(&arg) { arg.hide(true) } else { arg });
    root.build();
    for command in registry.commands() {
        let mut found = Some(&mut root);
        for word in &command.words {
            found = found.and_then(|parent| parent.find_subcommand_mut(word));
        }
        let Some(leaf) = found else { continue };
        let _ = write!(page, "\n## orysh {}\n\n", command.words.join(" "));
        block(&mut page, &leaf.render_help().to_string());
    }
    page
}

fn block(page: &mut String, help: &str) {
    page.push_str("```text\n");
    for line in help.trim_end().lines() {
        page.push_str(line.trim_end());
        page.push('\n');
    }
    page.push_str("```\n");
}
