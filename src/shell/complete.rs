//! What Tab offers: never anything that would have to be asked for over the network.

mod command;
mod names;

use rustyline::completion::{FilenameCompleter, Pair};

use crate::grammar::Registry;
use crate::shell::line::{Sort, sort};

pub use names::Known;

/// So many are offered at most: rustyline shows no more than 65,535.
const MOST: usize = 1_000;

/// What may stand at the end of a line up to the cursor: where that begins, and what.
pub fn offered(line: &str, registry: &Registry, known: &Known) -> (usize, Vec<Pair>) {
    let from = command::last_step(line);
    let step = &line[from..];
    let is_first_word = !step.trim_start().contains(char::is_whitespace);
    let (start, mut found) = match sort(step, registry) {
        Sort::Rhai | Sort::Empty if !is_first_word => names::offered(line, known),
        // A line may begin either way.
        _ if is_first_word => {
            let (start, commands) = command::offered(line, from, registry);
            let (of_rhai, names) = names::offered(line, known);
            if of_rhai == start || commands.is_empty() {
                let mut all: Vec<Pair> = commands.into_iter().chain(names).collect();
                let begins = |pair: &Pair| pair.replacement.starts_with(&line[of_rhai..]);
                if all.iter().any(begins) {
                    all.retain(begins);
                }
                (of_rhai, all)
            } else {
                (start, commands)
            }
        }
        _ => match command::code(step) {
            // Within `${…}` it is Rhai.
            Some(code) => {
                let (start, names) = names::offered(&step[code..], known);
                (from + code + start, names)
            }
            None => command::offered(line, from, registry),
        },
    };
    if found.is_empty() && !is_first_word {
        return FilenameCompleter::new().complete_path(line, line.len()).unwrap_or((line.len(), Vec::new()));
    }
    found.truncate(MOST);
    (start, found)
}

/// Those of some words that begin so; where none does, those that have its letters in that order.
fn matching(current: &str, all: impl Iterator<Item = String> + Clone) -> Vec<Pair> {
    let pair = |word: String| Pair { display: word.clone(), replacement: word };
    let exact: Vec<Pair> = all.clone().filter(|word| word.starts_with(current)).map(pair).collect();
    if !exact.is_empty() || current.trim_start_matches('-').is_empty() {
        return exact;
    }
    all.filter(|word| has_letters(word, current)).map(pair).collect()
}

fn has_letters(word: &str, letters: &str) -> bool {
    let mut characters = word.chars().flat_map(char::to_lowercase);
    letters.chars().flat_map(char::to_lowercase).all(|letter| characters.any(|c| c == letter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands;

    fn words(line: &str) -> (usize, Vec<String>) {
        let known = Known {
            variables: vec!["team".into(), "it".into()],
            functions: vec!["of_team".into()],
            members: vec![("it".into(), vec!["client_id".into(), "client_name".into()])],
        };
        let (start, found) = offered(line, &commands::registry(), &known);
        (start, found.into_iter().map(|pair| pair.replacement).collect())
    }

    #[test]
    fn each_place_of_a_line_has_its_own() {
        let has = |line: &str, start: usize, word: &str| {
            let (at, found) = words(line);
            assert!(at == start && found.iter().any(|one| one == word), "{line}: {at} {found:?}");
        };
        has("cre", 0, "create");
        has("create oau", 7, "oauth2-client");
        has("create oauth2-client --grant", 21, "--grant-type");
        has("create oauth2-client --fmt", 21, "--format");
        has("create oauth2-client --color alw", 29, "always");
        has("version; get oau", 13, "oauth2-client");
        has("get client ${it.client_i", 16, "client_id");
        has("te", 0, "team");
        has("let x = of_", 8, "of_team");
        has("it.client_n", 3, "client_name");
        assert_eq!(words("version; lis").1, ["list"]);
    }
}
