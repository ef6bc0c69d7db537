//! What Tab offers: never anything that would have to be asked for over the network.

mod command;
mod listings;
mod names;
mod quoting;

use rustyline::completion::{FilenameCompleter, Pair};

use crate::commands::completion::listed::has_letters;
use crate::commands::completion::{Candidate, Wants};
use crate::grammar::Registry;
use crate::shell::line::{Sort, sort};
use crate::shell::tree::Node;
use crate::text;

pub use command::Listed;
pub use listings::Listings;
pub use names::Known;
use quoting::Begun;

/// So many are offered at most: rustyline shows no more than 65,535.
pub const MOST: usize = 1_000;

/// So many are shown with what they are; of more the words are enough to read.
const MOST_TOLD: usize = 40;

/// What the end of a line can be.
struct Found {
    /// Where that begins.
    start: usize,
    words: Vec<Candidate>,
    /// The words of the command, as they are quoted; none: it is Rhai.
    begun: Option<Begun>,
    /// Where a file begins that may be meant.
    file: Option<usize>,
}

impl Found {
    fn of_rhai(start: usize, words: Vec<Candidate>) -> Self {
        Found { start, words, begun: None, file: None }
    }
}

/// What may stand at the end of a line up to the cursor: where that begins, and what, as a terminal of so many columns shows it.
pub fn offered(line: &str, registry: &Registry, known: &Known, listed: Listed<'_>, width: usize) -> (usize, Vec<Pair>) {
    let Found { start, words: mut found, begun, file } = candidates(line, registry, known, listed);
    if let Some(from) = file.filter(|_| found.is_empty()) {
        let (start, files) =
            FilenameCompleter::new().complete_path(&line[from..], line.len() - from).unwrap_or_default();
        return (from + start, files);
    }
    found.truncate(MOST);
    let is_told = found.len() <= MOST_TOLD;
    let widest = found.iter().map(|one| one.word.chars().count()).max().unwrap_or_default();
    let pair = |Candidate { word, about }: Candidate| {
        // A name is not taken for another id.
        let display = if is_told && !about.is_empty() { format!("{word:widest$}  ({about})") } else { word.clone() };
        let replacement = begun.as_ref().map_or(word.clone(), |begun| begun.quoted(&word));
        Pair { display: text::fit(&display, width.saturating_sub(1)).into_owned(), replacement }
    };
    (start, found.into_iter().map(pair).collect())
}

fn candidates(line: &str, registry: &Registry, known: &Known, listed: Listed<'_>) -> Found {
    let from = command::last_step(line);
    let step = &line[from..];
    let is_first_word = !step.trim_start().contains(char::is_whitespace);
    let of_rhai = |text: &str, known: &Known| {
        let (start, names) = names::offered(text, known);
        // Names have no quotes: they stand in the line as they are read.
        Found::of_rhai(line.len() - (text.len() - start), names)
    };
    let is_named = line[..from].trim_end().ends_with(command::PROGRAM);
    if matches!(sort(step, registry), Sort::Rhai | Sort::Empty) && !is_first_word && !is_named {
        return of_rhai(line, known);
    }
    // Within `${…}` it is Rhai.
    if let Some(code) = command::code(step).filter(|_| !is_first_word) {
        return of_rhai(&step[code..], known);
    }
    let word = command::offered(step, registry, listed);
    let start = from + word.begun.start;
    if !is_first_word {
        return match word.wants {
            Wants::Rhai => of_rhai(&word.begun.word, known),
            Wants::Condition => of_rhai(&word.begun.word, &Known::of_condition()),
            wants => {
                let file = (wants == Wants::File).then(|| start + word.before.len());
                Found { start, words: word.words, begun: Some(word.begun), file }
            }
        };
    }
    let mut commands = word.words;
    if is_named {
        return Found { start, words: commands, begun: None, file: None };
    }
    // A line may begin either way.
    let (of_rhai, names) = names::offered(line, known);
    if of_rhai != start && !commands.is_empty() {
        return Found::of_rhai(start, commands);
    }
    commands.extend(names);
    let begins = |one: &Candidate| one.word.starts_with(&line[of_rhai..]);
    if commands.iter().any(begins) {
        commands.retain(begins);
    }
    Found::of_rhai(of_rhai, commands)
}

/// Has `listed` asked for what the next word of a line may be, where that comes from somewhere: it is there once Tab is pressed.
/// That is plain once a verb and a noun are typed, or a word has ended.
pub fn prepare(line: &str, registry: &Registry, tree: &Node, listed: Listed<'_>) {
    let step = &line[command::last_step(line)..];
    let noun = || {
        let (verb, noun) = step.split_once(' ')?;
        tree.word(verb)?.word(noun.trim_start())
    };
    if !step.ends_with(' ') && noun().is_none() || sort(step, registry) != Sort::Command {
        return;
    }
    command::offered(&format!("{} ", step.trim_end()), registry, listed);
}

/// What is inserted of words that are not told apart yet: no backslash whose character is missing.
pub fn whole(elected: &str) -> &str {
    let is_open = elected.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1;
    if is_open { &elected[..elected.len() - 1] } else { elected }
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
            members: vec![
                ("it".into(), vec!["client_id".into(), "client_name".into()]),
                ("it.metadata".into(), vec!["team".into()]),
            ],
            ..Known::default()
        };
        let listed = |source, _: &[(String, String)], begun: &str| match source {
            Source::Clients => {
                Completed::of([("a-1", "shop"), ("b-2", "till"), ("zz top", ""), ("zy;version", "")]).offered(begun, 9)
            }
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
        has("delete oauth2-client zz", 21, "zz\\ top");
        has("get oauth2-client zy", 18, "zy\\;version");
        has("get oauth2-client \"zz t", 18, "\"zz top\"");
        has("get oauth2-client 'a", 18, "'a-1'");
        has("orysh get oauth2-client a", 24, "a-1");
        has("orysh cre", 6, "create");
        has("version; orysh cre", 15, "create");
        has("get client ${it.clid", 16, "client_id");
        has("it.metadata.t", 12, "team");
        has("copy it.client_n", 8, "client_name");
        has("list oauth2-clients --where 'c.own", 31, "owner");
        has("list oauth2-clients --where 'c.owner == \"a\" && c.sc", 49, "scope");
        has("create oauth2-client --subject-type pu", 36, "public");
        has("create oauth2-client --grant-type=cl", 21, "--grant-type=client_credentials");
        for nothing in ["create oauth2-client --skip-consent ", "version ", "create oauth2-client --name "] {
            assert!(words(nothing).1.is_empty(), "{nothing}");
        }
        assert!(words("create oauth2-client --file src/li").1.contains(&"src/lib.rs".into()));
        assert!(words("create oauth2-client --file=src/li").1.contains(&"src/lib.rs".into()));
        assert!(words("version > src/li").1.contains(&"src/lib.rs".into()));
    }
}
