//! A session that is shown in docs/ and README: from an empty home through the tour, a client by the form, completion, and out again.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::sessions::constant;
use crate::support::{Terminal, anywhere};

const SIZE: (u16, u16) = (24, 80);

/// What is said above a screen, what is pressed, and what is waited for; nothing: a prompt.
const STEPS: &[(&str, &str, &str)] = &[
    ("With nothing configured, `orysh` starts in a sandbox of its own.", "", ""),
    ("`tour` shows what can be done, a line at a time.", "tour\r", "1 of 8"),
    ("A client, and its secret, once.", "\r", "2 of 8"),
    ("What was shown is `it`.", "\r", "3 of 8"),
    ("A secret that is encrypted for somebody.", "\r", "4 of 8"),
    ("A script.", "\r", "5 of 8"),
    ("Many clients from a file.", "\r", "6 of 8"),
    ("The run is put into a variable.", "\r", "7 of 8"),
    ("There they are.", "\r", "8 of 8"),
    ("What the tour has made goes again.", "\r", ""),
    (
        "Without a flag, `create oauth2-client` asks: first for the kind of application.",
        "create oauth2-client\r",
        "Which one?",
    ),
    ("What follows from that is said; then comes only what matters.", "4\r", "client_name:"),
    ("", "nightly job\r", "scope:"),
    ("", "reports:read\r", "audience:"),
    ("", "\r", "owner:"),
    (
        "Before anything is sent, this is it; and how it would be said in a line, or in a script.",
        "ops@example.org\r",
        "Create it? [Y/n/e]",
    ),
    ("The secret is shown once, with what is done with one at hand.", "\r", "[c/e/s]"),
    ("", "\r", ""),
    ("Tab knows the clients.", "get oauth2-client \t", "get oauth2-client"),
    ("", "\u{3}", ""),
    ("`it` is the new client.", "it.client_id\r", ""),
];

/// The step whose screen is the picture.
const PICTURE: &str = "[c/e/s]";

#[test]
fn the_recording_is_what_the_shell_shows() {
    let mut shell = Terminal::sized(anywhere().untimed(), &[], SIZE);
    let mut text =
        String::from("# A session\n\nOn a terminal of 80 columns and 24 lines. Ids, secrets and times are made up.\n");
    let mut picture = String::new();
    for (about, keys, until) in STEPS {
        let mut lines = shell.settles(keys, until);
        // What servers list comes in the background.
        for _ in 0..40 {
            let last = lines.iter().rfind(|line| !line.is_empty());
            if !keys.contains('\t') || last.is_some_and(|line| !line.trim_end().ends_with("oauth2-client")) {
                break;
            }
            shell.press("\t");
            std::thread::sleep(std::time::Duration::from_millis(250));
            lines = shell.lines();
        }
        let shown = constant(&lines, SIZE.1.into());
        if *until == PICTURE {
            picture = svg(&shell, &shown);
        }
        if !about.is_empty() {
            let _ = write!(text, "\n{about}\n\n```text\n{}\n```\n", shown.join("\n"));
        }
    }
    shell.press("exit\r");
    assert_eq!(shell.ended().code(), Some(0));
    is_kept("docs/session.md", &text);
    is_kept("docs/session.svg", &picture);
}

/// A file is as it should be; where snapshots are renewed, it is made so.
fn is_kept(file: &str, due: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    #[expect(clippy::disallowed_methods, reason = "whether snapshots are renewed")]
    let renews = std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always");
    if renews {
        fs::write(&path, due).unwrap();
    }
    let is = fs::read_to_string(&path).unwrap_or_default();
    let differs = is.lines().zip(due.lines()).find(|(is, due)| is != due);
    assert!(is == due, "{file} is not what is shown now: {differs:?}");
}

/// Colours of a terminal that read on dark.
const COLORS: [&str; 16] = [
    "#2e3440", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#dcdfe4", "#7f848e", "#e06c75",
    "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#ffffff",
];

const CELL: (f64, f64) = (8.4, 18.0);

/// A number of rows or columns.
fn number(count: usize) -> f64 {
    u16::try_from(count).unwrap().into()
}

/// The screen as a picture: these characters, in the colours that they have.
fn svg(shell: &Terminal, lines: &[String]) -> String {
    let (width, height) = (f64::from(SIZE.1) * CELL.0 + 24.0, f64::from(SIZE.0) * CELL.1 + 24.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, monospace\" font-size=\"14\">\n<title>A client is made by the form of the shell</title>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#1e222a\"/>\n"
    );
    shell.look(|screen| {
        for (row, line) in lines.iter().enumerate() {
            let mut runs: Vec<(String, &str, bool)> = Vec::new();
            for (column, c) in line.chars().enumerate() {
                let cell = screen.cell(u16::try_from(row).unwrap(), u16::try_from(column).unwrap());
                let color = match cell.map(vt100::Cell::fgcolor) {
                    Some(vt100::Color::Idx(index)) => COLORS[usize::from(index) % 16],
                    _ => "#dcdfe4",
                };
                let is_bold = cell.is_some_and(vt100::Cell::bold);
                match runs.last_mut() {
                    Some((text, last, bold)) if *last == color && *bold == is_bold => text.push(c),
                    _ => runs.push((c.to_string(), color, is_bold)),
                }
            }
            let y = CELL.1.mul_add(number(row), 26.0);
            let _ = write!(
                svg,
                "<text x=\"12\" y=\"{y}\" xml:space=\"preserve\" textLength=\"{:.1}\">",
                CELL.0 * number(line.chars().count())
            );
            for (text, color, is_bold) in runs {
                let text = text.replace('&', "&amp;").replace('<', "&lt;");
                let weight = if is_bold { " font-weight=\"bold\"" } else { "" };
                let _ = write!(svg, "<tspan fill=\"{color}\"{weight}>{text}</tspan>");
            }
            svg.push_str("</text>\n");
        }
    });
    svg + "</svg>\n"
}
