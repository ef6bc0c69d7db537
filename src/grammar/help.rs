//! Help that belongs to no single flag: verbs, topics, what is out of scope.

use std::fmt::Write as _;

use crate::env;
use crate::error::{Error, Result, nearest};
use crate::grammar::command::Registry;
use crate::grammar::{parse, reference};

/// Verbs that several commands share.
pub const VERBS: &[(&str, &str)] = &[
    ("create", "Create something on a server"),
    ("get", "Show things by id"),
    ("list", "List things"),
    ("update", "Change something on a server"),
    ("set", "Set what belongs to something on a server"),
    ("patch", "Change something by a JSON Patch"),
    ("replace", "Replace something on a server as a whole"),
    ("deliver", "Hand something over again"),
    ("rotate", "Make something new while the old still counts"),
    ("import", "Create what a file holds"),
    ("export", "Write things in a form that can be imported"),
    ("diff", "Show how something differs from a file"),
    ("lint", "Show what is wrong with something"),
    ("delete", "Delete things by id"),
    ("test", "Test something without any effect"),
    ("script", "Look at what scripts can do"),
    ("perform", "Go through an OAuth 2.0 flow"),
    ("introspect", "Show what a server knows of something"),
    ("revoke", "Take back what was given"),
    ("inspect", "Look at something without changing it"),
    ("use", "Act on something from now on"),
    ("auth", "Who one is"),
    ("key", "The key of a profile"),
    ("profile", "Named targets"),
    ("plugin", "What a team shares: rules, deliveries, commands"),
    ("batch", "Many clients at once, in runs that can be gone on with"),
    ("sandbox", "The server inside this program"),
];

/// Below the list of commands.
pub const AFTER: &str = "\
Without a command, on a terminal, the shell starts; `orysh -` reads a script from stdin.
Topics: `orysh help environment`, `exit-codes`, `formats`, `shell`, `reference`.";

/// What people look for here and will not find, and why.
pub const OUT_OF_SCOPE: &[(&[&str], &str)] = &[
    (&["jwk", "jwks", "keys"], "JSON Web Key sets are out of scope here"),
    (&["identity", "identities", "relation-tuples", "permission"], "identities and permissions are out of scope here"),
    (&["trust", "trusted-jwt-issuer", "jwt-issuer"], "trusted JWT issuers are out of scope: use the admin API"),
    (
        &["authorization-code", "device-code"],
        "of the flows only `perform client-credentials` is here: the others need a person at a browser",
    ),
];

const EXIT_CODES: &str = "\
Exit codes
    0  done
    1  the server or a script failed
    2  used wrongly; nothing was sent
    3  some of several failed
    4  not signed in, or not allowed
    5  changes are due (--detailed-exitcode)
  130  interrupted
";

const FORMATS: &str = "\
Formats (--format)
  table, default   for people; in a pipe separated by tabs, never cut
  json             one line; a list is {\"items\": […], \"next_page_token\": \"…\", \"is_last_page\": …}
  json-pretty      the same over several lines
  jsonl            one JSON object a line, as they come
  yaml             for people and files
  csv              with a header
  env              CLIENT_ID=… and CLIENT_SECRET=…, for a shell to read
  jsonpath=PATH    gjson syntax (client_id, redirect_uris.0), or RFC 9535 when it begins with $
  jsonpointer=/P   RFC 6901
A string that a path picks is printed as it is, without quotes. With -q, ids are printed.
";

const SHELL: &str = "\
The shell
  A line whose first word is a command's verb is a command; anything else is Rhai.
  A verb that is followed by an operator, `.`, `(` or `[` is Rhai, too, but for one that is a command by itself,
  with `>`, `|` or `&&` behind it; as are `import` and `export` with a quote, `let` or `const` behind them.
  `it` is the last value; of a list an array, be it an empty one. Functions and variables stay.
  It acts where the prompt says: where that is elsewhere by now, a line is not done, and told so.
  Ctrl-C stops what runs, Ctrl-D and `exit` leave; `exit 3` with that exit code.

Commands
  ${it.client_id}  in a word stands for a value; of a list by itself for a word for each entry
  > FILE           what is shown goes into a file in which nothing is yet; >| FILE whatever is in it
  >> FILE          below what is in it
  | PROGRAM        to a program, as `sh` reads the rest of the line; ${it.client_id} stands for a value there, too
  a ; b            one after the other
  a && b           the second where the first was done
  # so             a comment, to the end of the line
  \\                at the end of a line: the next one belongs to it
A line of Rhai is Rhai to its end; it goes on in the next one while a brace, a bracket or a text is open, and
a blank line ends it in any case. What is pasted is done line by line, until one fails.

Lines
  !!               the last line of this shell; !text the last one that begins so
  history          the lines that were typed here, `history clear` forgets them
  load FILE        the lines of a file; the first error ends it
  edit             the last line in $VISUAL or $EDITOR, which is done then if it is another
They are kept for each place where the shell acts, shared by all shells. Lines that may hold a secret, of which it is
told, or that begin with a space, are not written down.

Tab completes commands, flags, files, names of Rhai, and what is listed where the line acts: clients by id or name,
projects, workspaces, profiles, runs, plugins. Mistakes are underlined before Enter is pressed; Right takes a hint over.

By hand
  create oauth2-client  with no flag: a form; the secret is shown once, in a box
  edit ID               a client as YAML; what was changed is looked at, and sent
  copy it.client_id     a value to the clipboard of the terminal
  undo                  what the last line wrote is taken back, where that can be done
  \\x                    rows as lines of name and value, and back; \\x on, \\x off
  show settings         what can be set, and is; set setting NAME VALUE
  tour                  two minutes on the sandbox

From stdin come the same lines: `orysh < FILE`. The first error ends it, unless --keep-going is given.
";

/// What there is help on besides commands.
pub const TOPICS: [&str; 5] = ["environment", "exit-codes", "formats", "shell", "reference"];

/// Help on a topic, or on the command that the words name.
pub fn about(registry: &Registry, words: &[String], color: bool) -> Result<String> {
    match words {
        [topic] if topic == "environment" => Ok(environment()),
        [topic] if topic == "exit-codes" => Ok(EXIT_CODES.into()),
        [topic] if topic == "formats" => Ok(FORMATS.into()),
        [topic] if topic == "shell" => Ok(SHELL.into()),
        [topic] if topic == "reference" => Ok(reference::markdown(registry)),
        [word] if !registry.is_verb(word) => {
            let known = registry.commands().iter().map(|command| command.words[0]).chain(TOPICS);
            Err(Error::usage(format!("there is no help on `{word}`")).did_you_mean(nearest(word, known)))
        }
        words => {
            let mut asked: Vec<String> = words.to_vec();
            asked.push("--help".into());
            match parse::parse(registry, &asked, color)? {
                parse::Parsed::Help(text) => Ok(text),
                _ => Err(Error::usage(format!("there is no help on `{}`", words.join(" ")))),
            }
        }
    }
}

fn environment() -> String {
    let width = env::ALL.iter().map(|var| var.name.len()).max().unwrap_or(0);
    let mut text = String::from("Environment variables; set to nothing counts as not set\n");
    for var in env::ALL {
        let _ = writeln!(text, "  {:width$}  {}", var.name, var.help);
    }
    text
}

/// The same text with each paragraph on one line, for whatever width it is wrapped to; what is indented stays as it is.
pub fn paragraphs(text: &str) -> String {
    let mut joined = String::new();
    let mut in_paragraph = false;
    for line in text.lines() {
        let is_prose = !line.is_empty() && !line.starts_with(' ') && !line.ends_with(':');
        if !joined.is_empty() {
            joined.push(if in_paragraph && is_prose { ' ' } else { '\n' });
        }
        joined.push_str(line);
        in_paragraph = is_prose;
    }
    joined
}
