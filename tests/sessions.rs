//! Whole sessions of the shell, from its start to `exit`, on terminals of three sizes.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::thread;

use regex::{Captures, Regex};

use crate::support::{Orysh, Terminal, anywhere};

/// Lines and columns.
const SIZES: [(u16, u16); 3] = [(24, 80), (24, 40), (50, 200)];

/// What is pressed, and what is waited for; nothing: a prompt.
type Step = (&'static str, &'static str);

/// A session: its name, what is prepared for it, and what is done.
type Session = (&'static str, fn(Orysh) -> Orysh, &'static [Step]);

fn as_it_is(program: Orysh) -> Orysh {
    program
}

fn with_rows(program: Orysh) -> Orysh {
    let rows: Vec<String> = (1..=9).map(|n| format!("app-{n},service {n},team-{}@example.org\n", n % 2)).collect();
    let rows = rows.concat();
    program.file("rows.csv", &format!("client_id,client_name,owner\n{rows}"));
    program.with("PAGER", "cat")
}

fn with_editor(program: Orysh) -> Orysh {
    program.file("ed.sh", "#!/bin/sh\nsed -i 's/^owner: .*/owner: new@example.org/' \"$1\"\n");
    program.with("EDITOR", "sh ed.sh")
}

fn with_production(program: Orysh) -> Orysh {
    program.file(
        "config/config.toml",
        "[profile.live]\nendpoint = \"http://127.0.0.1:1\"\nproduction = true\n\n[profile.test]\nendpoint = \"http://127.0.0.1:2\"\n",
    );
    program
}

fn with_pager(program: Orysh) -> Orysh {
    with_rows(program).with("PAGER", "sed -n 1,7p")
}

/// Keys: Tab, Up, Ctrl-C, Ctrl-R, Escape.
const SESSIONS: &[Session] = &[
    ("begins_and_ends", as_it_is, &[("6 * 7\r", "42"), ("help shell\r", ""), ("context\r", "sandbox")]),
    (
        "makes_one_by_flags",
        as_it_is,
        &[
            ("create oauth2-client --id shop --name 'the shop' --secret an-old-secret-1234\r", "CLIENT SECRET"),
            ("it.client_id\r", ""),
            ("get oauth2-client ${it}\r", ""),
            ("list oauth2-clients\r", ""),
        ],
    ),
    (
        "makes_one_by_the_form",
        as_it_is,
        &[
            ("create oauth2-client\r", "Which one?"),
            ("4\r", "client_name:"),
            ("nightly job\r", "scope:"),
            ("read\r", "audience:"),
            ("\r", "owner:"),
            ("ops@example.org\r", "Create it? [Y/n/e]"),
            ("\r", "[c/e/s]"),
            ("\r", ""),
        ],
    ),
    (
        "takes_a_part_of_the_tour",
        as_it_is,
        &[("tour\r", "q ends the tour"), ("\r", "2 of 8"), ("\r", "3 of 8"), ("q\r", "")],
    ),
    (
        "batches_and_lists",
        with_rows,
        &[
            ("batch create rows.csv --out results.csv\r", "results:"),
            ("list oauth2-clients\r", ""),
            ("batch list\r", ""),
        ],
    ),
    (
        "pages_what_is_long",
        with_pager,
        &[
            ("batch create rows.csv -q\r", ""),
            ("clients::list().map(|c| c.client_id + \"\\n\" + c.client_name + \"\\n\\n\\n\\n\\n\")\r", ""),
        ],
    ),
    (
        "shows_rows_as_lines",
        with_rows,
        &[
            ("batch create rows.csv -q\r", ""),
            ("\\x\r", "rows are shown as lines"),
            ("list oauth2-clients --limit 2\r", "- row 2 -"),
            ("show settings\r", "slow"),
        ],
    ),
    (
        "completes",
        with_rows,
        &[
            ("batch create rows.csv -q\r", ""),
            ("list oauth2-clients -q\r", "app-9"),
            ("create oauth2-client --token-en\t", "--token-endpoint-auth"),
            ("\u{3}", ""),
            ("clients::ro\t", "clients::rotate_secret"),
            ("\u{3}", ""),
        ],
    ),
    (
        "finds_lines_again",
        as_it_is,
        &[
            ("1 + 1\r", "2"),
            ("2 + 2\r", "4"),
            ("\u{1b}[A\r", "4"),
            ("\u{12}1 +", "1 + 1"),
            ("\r", "2"),
            ("history\r", "1 + 1"),
        ],
    ),
    (
        "is_told_of_mistakes",
        as_it_is,
        &[
            ("create oauth2-client --nmae x\r", "--name"),
            ("get oauth2-client nobody\r", "404"),
            ("let n = 1; n + nope\r", "nope"),
            ("clients::creat(#{})\r", "create"),
            ("frobnicate\r", ""),
        ],
    ),
    (
        "writes_rhai_over_several_lines",
        as_it_is,
        &[
            ("fn twice(x) {\r", "twice"),
            ("  x * 2\r", "x * 2"),
            ("}\r", ""),
            ("let a = 21; twice(a)\r", "42"),
            ("it + 1\r", "43"),
        ],
    ),
    (
        "passes_output_on",
        with_rows,
        &[
            ("batch create rows.csv -q\r", ""),
            ("list oauth2-clients -q > ids.txt; list oauth2-clients -q | wc -l\r", "9"),
            ("fs::read(\"ids.txt\").split(\"\\n\").len()\r", ""),
            ("get oauth2-client nobody && list oauth2-clients -q\r", "404"),
        ],
    ),
    (
        "edits_and_takes_back",
        with_editor,
        &[
            ("create oauth2-client --id a --owner old@example.org -q\r", ""),
            ("edit a\r", ""),
            ("get oauth2-client a --format jsonpath=owner\r", "new@example.org"),
            ("undo\r", "Undo that?"),
            ("y\r", "put back"),
            ("get oauth2-client a --format jsonpath=owner\r", "old@example.org"),
        ],
    ),
    (
        "goes_to_production",
        with_production,
        &[
            ("use profile test\r", "test"),
            ("use profile live\r", "live"),
            ("create oauth2-client --id x\r", "[y/N]"),
            ("n\r", ""),
            ("context\r", "live"),
        ],
    ),
];

#[test]
fn whole_sessions_look_as_they_should() {
    let shown = Mutex::new(Vec::new());
    let all: Vec<(&Session, (u16, u16))> =
        SESSIONS.iter().flat_map(|session| SIZES.map(|size| (session, size))).collect();
    thread::scope(|scope| {
        for part in all.chunks(all.len().div_ceil(4)) {
            let shown = &shown;
            scope.spawn(move || {
                for ((name, prepared, steps), size) in part {
                    let screens = run(prepared(anywhere()), *size, steps);
                    shown.lock().unwrap().push((format!("{name}_{}x{}", size.1, size.0), screens));
                }
            });
        }
    });
    let mut shown = shown.into_inner().unwrap();
    shown.sort();
    for (name, screens) in shown {
        insta::assert_snapshot!(name, screens);
    }
}

/// The screens of a session: of a usual terminal that after each step, of others the last.
fn run(program: Orysh, size: (u16, u16), steps: &[Step]) -> String {
    let mut shell = Terminal::sized(program.untimed(), &[], size);
    let mut screens = vec![(String::new(), shell.settles("", ""))];
    for (keys, until) in steps {
        let lines = shell.settles(keys, until);
        screens.push((keys.escape_debug().to_string(), lines));
    }
    shell.press("exit\r");
    let code = shell.ended().code();
    let from = if size == SIZES[0] { 0 } else { screens.len() - 1 };
    let mut shown = String::new();
    for (keys, lines) in &screens[from..] {
        let _ = writeln!(shown, "=== {keys}\n{}", constant(lines, size.1.into()).join("\n"));
    }
    assert_eq!(code, Some(0), "{shown}");
    shown
}

/// What is another each time, and what is as wide.
const CHANGING: [(&str, &str); 5] = [
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{4,27}", "00000000-0000-4000-8000-000000000000"),
    (r"20\d{6}-\d{9}-[0-9a-f]{4}", "20261126-120000000-0000"),
    (r"tour-[0-9a-f]{4}", "tour-0000"),
    (r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", "2026-11-26T12:00:00Z"),
    (r"\.tmp\w{6}", ".tmp000000"),
];

/// Lines of a screen that are the same each time, up to the last that is not empty.
pub fn constant(lines: &[String], width: usize) -> Vec<String> {
    let patterns = CHANGING.map(|(pattern, instead)| (Regex::new(pattern).unwrap(), instead));
    // Secrets and ciphertexts are long words that mean nothing.
    let words = Regex::new(r"[A-Za-z0-9_~.+/=-]{26,}").unwrap();
    let is_secret = |word: &str| word.chars().any(char::is_uppercase) && word.chars().any(char::is_lowercase);
    let ages = Regex::new(r"\bjust now\b|\b\d+ seconds? ago\b").unwrap();
    let last = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
    let mut shown = Vec::new();
    let mut lines = lines[..last].iter().peekable();
    while let Some(line) = lines.next() {
        // What fills a line goes on in the next.
        let mut whole = line.clone();
        while whole.chars().count() % width == 0 && !whole.is_empty() && lines.peek().is_some() {
            whole.push_str(lines.next().unwrap());
        }
        for (pattern, instead) in &patterns {
            let same = |found: &Captures<'_>| instead.chars().take(found[0].len()).collect::<String>();
            whole = pattern.replace_all(&whole, same).into_owned();
        }
        let same =
            |found: &Captures<'_>| if is_secret(&found[0]) { "x".repeat(found[0].len()) } else { found[0].to_owned() };
        whole = words.replace_all(&whole, same).into_owned();
        whole = ages.replace_all(&whole, "a moment ago").into_owned();
        let whole: Vec<char> = whole.chars().collect();
        shown.extend(whole.chunks(width).map(|line| line.iter().collect::<String>().trim_end().to_owned()));
        if whole.is_empty() {
            shown.push(String::new());
        }
    }
    shown
}
