//! What Tab offers: never anything that would have to be asked for over the network.

mod command;
mod listings;
mod names;

use std::cell::Cell;

use rustyline::completion::{FilenameCompleter, Pair};

use crate::commands::completion::Candidate;
use crate::commands::completion::listed::has_letters;
use crate::grammar::Registry;
use crate::shell::line::{Sort, sort};
use crate::text;

pub use command::Listed;
pub use listings::Listings;
pub use names::Known;

/// So many are offered at most: rustyline shows no more than 65,535.
pub const MOST: usize = 1_000;

/// So many are shown with what they are; of more the words are enough to read.
const MOST_TOLD: usize = 40;

/// What may stand at the end of a line up to the cursor: where that begins, and what, as a terminal of so many columns shows it.
pub fn offered(line: &str, registry: &Registry, known: &Known, listed: Listed<'_>, width: usize) -> (usize, Vec<Pair>) {
    let asked = Cell::new(false);
    let noted: Listed<'_> = &|source, target, begun| {
        asked.set(true);
        listed(source, target, begun)
    };
    let (start, mut found) = candidates(line, registry, known, noted);
    let is_first_word = !line.trim_start().contains(char::is_whitespace);
    // Where something is listed no file is meant.
    if found.is_empty() && !is_first_word && !asked.get() {
        return FilenameCompleter::new().complete_path(line, line.len()).unwrap_or((line.len(), Vec::new()));
    }
    found.truncate(MOST);
    let is_told = found.len() <= MOST_TOLD;
    let widest = found.iter().map(|one| one.word.chars().count()).max().unwrap_or_default();
    let pair = |Candidate { word, about }: Candidate| {
        let display = if is_told && !about.is_empty() { format!("{word:widest$}  {about}") } else { word.clone() };
        Pair { display: text::fit(&display, width.saturating_sub(1)).into_owned(), replacement: word }
    };
    (start, found.into_iter().map(pair).collect())
}

fn candidates(line: &str, registry: &Registry, known: &Known, listed: Listed<'_>) -> (usize, Vec<Candidate>) {
    let from = command::last_step(line);
    let step = &line[from..];
    let is_first_word = !step.trim_start().contains(char::is_whitespace);
    if matches!(sort(step, registry), Sort::Rhai | Sort::Empty) && !is_first_word {
        return names::offered(line, known);
    }
    // Within `${…}` it is Rhai.
    if let Some(code) = command::code(step).filter(|_| !is_first_word) {
        let (start, names) = names::offered(&step[code..], known);
        return (from + code + start, names);
    }
    let (start, mut commands) = command::offered(line, from, registry, listed);
    if !is_first_word {
        return (start, commands);
    }
    // A line may begin either way.
    let (of_rhai, names) = names::offered(line, known);
    if of_rhai != start && !commands.is_empty() {
        return (start, commands);
    }
    commands.extend(names);
    let begins = |one: &Candidate| one.word.starts_with(&line[of_rhai..]);
    if commands.iter().any(begins) {
        commands.retain(begins);
    }
    (of_rhai, commands)
}

/// Has `listed` asked for what the next word of a line may be, where that comes from somewhere: it is there once Tab is pressed.
pub fn prepare(line: &str, registry: &Registry, listed: Listed<'_>) {
    let from = command::last_step(line);
    if sort(&line[from..], registry) == Sort::Command {
        command::offered(line, from, registry, listed);
    }
}

/// Those of some words that begin so; where none does, those that have its letters in that order.
fn matching(current: &str, mut all: Vec<Candidate>) -> Vec<Candidate> {
    let begins = |one: &Candidate| one.word.starts_with(current);
    let letters = current.to_lowercase();
    if all.iter().any(begins) || current.trim_start_matches('-').is_empty() {
        all.retain(begins);
    } else {
        all.retain(|one| has_letters(&one.word, &letters));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands;
    use crate::commands::completion::listed::Listed as Completed;
    use crate::commands::completion::sources::Source;

    fn words(line: &str) -> (usize, Vec<String>) {
        let known = Known {
            variables: vec!["team".into(), "it".into()],
            functions: vec!["of_team".into()],
            members: vec![("it".into(), vec!["client_id".into(), "client_name".into()])],
        };
        let listed = |source, _: &[(String, String)], begun: &str| match source {
            Source::Clients => Completed::of([("a-1", "shop"), ("b-2", "till")]).offered(begun, 9),
            _ => Vec::new(),
        };
        let (start, found) = offered(line, &commands::registry(), &known, &listed, 80);
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
        has("get oauth2-client a", 18, "a-1");
        has("get client til", 11, "b-2");
        has("version; delete client a-1 b", 27, "b-2");
        assert_eq!(words("version; lis").1, ["list"]);
    }
}
