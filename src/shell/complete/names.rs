//! Names of Rhai: modules and their functions, variables, functions of earlier lines, members of values.

use super::matching;
use crate::commands::completion::Candidate;
use crate::model::fields::FIELDS;
use crate::script::library::{self, Function};

/// What a shell knows of its own names by now.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Variables.
    pub variables: Vec<String>,
    /// Functions that were defined.
    pub functions: Vec<String>,
    /// The members of variables that have some, and those of such members: `it.metadata`.
    pub members: Vec<(String, Vec<String>)>,
    /// Whether it is an expression, which looks only: no word of the language, and nothing of the API.
    pub is_expression: bool,
}

impl Known {
    /// What is known in the condition on a client.
    pub fn of_condition() -> Self {
        let members = FIELDS.iter().filter(|field| !field.secret).map(|field| field.json.to_owned()).collect();
        Known {
            variables: vec!["c".into()],
            members: vec![("c".into(), members)],
            is_expression: true,
            ..Known::default()
        }
    }
}

impl Known {
    /// Whether a text begins with a name of Rhai that is known here.
    pub fn begins(&self, text: &str) -> bool {
        let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
        let is_it = |name: &String| name == &text[..end];
        ["true", "false"].contains(&&text[..end]) || self.variables.iter().chain(&self.functions).any(is_it)
    }
}

/// Words of the language that a line begins with.
const WORDS: [&str; 9] = ["let", "const", "fn", "if", "for", "while", "loop", "import", "try"];

/// What the last name of a line can be.
pub fn offered(line: &str, known: &Known) -> (usize, Vec<Candidate>) {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let start =
        line.rfind(|c: char| !is_part(c)).map_or(0, |at| at + line[at..].chars().next().map_or(1, char::len_utf8));
    let (before, current) = line.split_at(start);
    if let Some(before) = before.strip_suffix("::") {
        let module = &before[before.rfind(|c: char| !is_part(c)).map_or(0, |at| at + 1)..];
        let of_module = library::known().iter().filter(|function| function.module == module);
        let mut names: Vec<Candidate> = of_module.map(of_function).collect();
        names.dedup_by(|a, b| a.word == b.word);
        return (start, matching(current, names));
    }
    if let Some(before) = before.strip_suffix('.') {
        let of = &before[before.rfind(|c: char| !is_part(c) && c != '.').map_or(0, |at| at + 1)..];
        let members = known.members.iter().find(|(name, _)| name == of).map(|(_, members)| members.clone());
        return (start, matching(current, members.unwrap_or_default().into_iter().map(Candidate::plain).collect()));
    }
    if current.is_empty() {
        return (start, Vec::new());
    }
    if known.is_expression {
        return (start, matching(current, known.variables.iter().cloned().map(Candidate::plain).collect()));
    }
    let mut modules: Vec<String> = library::known().iter().map(|function| function.module.to_owned()).collect();
    modules.retain(|module| !module.is_empty());
    modules.dedup();
    let functions = library::known().iter().filter(|function| function.module.is_empty()).map(of_function);
    let names = known.variables.iter().chain(&known.functions).cloned().chain(modules).chain(WORDS.map(str::to_owned));
    let mut all: Vec<Candidate> = names.map(Candidate::plain).chain(functions).collect();
    all.sort_by(|a, b| a.word.cmp(&b.word));
    all.dedup_by(|a, b| a.word == b.word);
    (start, matching(current, all))
}

fn of_function(function: &Function) -> Candidate {
    Candidate { word: function.short_name().to_owned(), about: function.signature.to_owned() }
}
