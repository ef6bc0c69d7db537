//! `script definitions`: what scripts can call, as Rhai's definition files say it to editors.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::error::Result;
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::Outcome;
use crate::script::engine::{self, Context};
use crate::script::library::{self, Function};

/// The command.
pub fn command() -> Command {
    Command::new(["script", "definitions"], "Print what scripts can call, as editors read it", run)
        .runs_dry()
        .offline()
        .after(
            "\
Examples:
  orysh script definitions > orysh.d.rhai

A language server of Rhai takes functions, types and one line of help from such a file beside the scripts.",
        )
}

#[expect(clippy::unnecessary_wraps, reason = "every command may fail")]
fn run(host: &Host, _args: &Args) -> Result<Outcome> {
    // What is registered is known once it was.
    drop(engine::engine(&Context::new(host.clone())));
    host.session.ui().print(&definitions(library::known()));
    Ok(Outcome::nothing())
}

fn definitions(functions: &[Function]) -> String {
    let mut modules: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for function in functions {
        modules.entry(function.module).or_default().push(defined(function));
    }
    let mut text = "module static;\n".to_owned();
    for (module, functions) in modules {
        let functions = functions.join("\n\n");
        // Writing to a String cannot fail.
        if module.is_empty() {
            let _ = write!(text, "\n{functions}\n");
        } else {
            let _ = write!(text, "\nmodule {module} {{\n{functions}\n}}\n");
        }
    }
    text
}

fn defined(function: &Function) -> String {
    let parameters: Vec<String> =
        function.parameters().map(|(name, of)| format!("{name}: {}", if of == "any" { "?" } else { of })).collect();
    // Of what it gives, its signature tells types and what they mean.
    let gives = match function.gives() {
        "" => "()",
        "text" => "string",
        known @ ("bool" | "map" | "array" | "Client" | "Secret" | "Time" | "Duration" | "Progress") => known,
        _ => "?",
    };
    format!("/// {}\nfn {}({}) -> {gives};", function.about, function.short_name(), parameters.join(", "))
}
