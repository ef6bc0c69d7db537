//! `man DIR`: a manual page for each command.

use std::io;
use std::path::Path;

use clap::Arg;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use serde_json::json;

use crate::error::{Error, Result};
use crate::grammar::{Args, Audience, Command, Host, parse};
use crate::output::outcome::{Column, Outcome, Row};
use crate::text::safe;

const COLUMNS: &[Column] = &[Column { title: "PAGE", member: "file" }];

/// The command.
pub fn command() -> Command {
    Command::new(["man"], "Write a manual page for each command", run)
        .offline()
        .only_for(Audience::NoPlugin)
        .args(|| {
            vec![Arg::new("dir").value_name("DIR").required(true).help("The folder; it is made where it is missing")]
        })
        .after(
            "\
Examples:
  orysh man ~/.local/share/man/man1
  orysh --no-plugins man build/man1

man looks there by itself: man orysh-create-oauth2-client.",
        )
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let folder = Path::new(args.text("dir").unwrap_or_default());
    std::fs::create_dir_all(folder)
        .map_err(|source| Error::usage(format!("cannot make the folder {}", folder.display())).caused_by(source))?;
    let mut root = parse::root(&host.registry);
    root.build();
    let mut rows = Vec::new();
    write(&root, folder, &mut rows)?;
    host.session.ui().note(&format!("{} pages are in {}", rows.len(), safe(&folder.display().to_string())));
    Ok(Outcome::many(rows.into_iter().map(Ok), COLUMNS))
}

/// The pages of a command, and of those below it.
fn write(command: &clap::Command, folder: &Path, rows: &mut Vec<Row>) -> Result<()> {
    let page = Man::new(command.clone()).manual("orysh").source(concat!("orysh ", env!("CARGO_PKG_VERSION")));
    let name = page.get_filename();
    let path = folder.join(&name);
    rendered(&page, command)
        .and_then(|text| std::fs::write(&path, text))
        .map_err(|source| Error::failed(format!("cannot write {}", path.display())).caused_by(source))?;
    rows.push(Row::value(json!({"file": name})).with_id(name));
    command.get_subcommands().filter(|below| !below.is_hide_set()).try_for_each(|below| write(below, folder, rows))
}

/// A page: as the help has it, with its line of usage rather than all flags in a row, and its examples as they are typed.
fn rendered(page: &Man, command: &clap::Command) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    let usage = command.clone().render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage);
    lines("SYNOPSIS", usage.lines()).to_writer(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    if command.has_subcommands() {
        page.render_subcommands_section(&mut text)?;
    }
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    if let Some((examples, notes)) =
        after.strip_prefix("Examples:\n").map(|rest| rest.split_once("\n\n").unwrap_or((rest, "")))
    {
        lines("EXAMPLES", examples.lines().map(str::trim_start)).to_writer(&mut text)?;
        paragraphs("NOTES", notes).to_writer(&mut text)?;
    } else {
        lines("NOTES", after.lines()).to_writer(&mut text)?;
    }
    Ok(text)
}

/// A section of lines as they stand.
fn lines<'a>(title: &str, lines: impl Iterator<Item = &'a str>) -> Roff {
    let mut section = Roff::new();
    let lines: Vec<&str> = lines.collect();
    if !lines.is_empty() {
        section.control("SH", [title]).control("nf", []);
        for line in lines {
            section.text([roman(line)]);
        }
        section.control("fi", []);
    }
    section
}

/// A section of paragraphs, which are parted by empty lines.
fn paragraphs(title: &str, text: &str) -> Roff {
    let mut section = Roff::new();
    for (at, paragraph) in text.split("\n\n").filter(|paragraph| !paragraph.is_empty()).enumerate() {
        if at == 0 {
            section.control("SH", [title]);
        } else {
            section.control("PP", []);
        }
        section.text([roman(paragraph.replace('\n', " "))]);
    }
    section
}
