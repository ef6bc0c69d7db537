//! ASCII armor (RFC 9580 §6.2): finds the blocks in a text, and says at which line one is broken.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::{Error, Position, Result};
use crate::text;

const BEGIN: &str = "-----BEGIN PGP ";
/// A private key is read as well, so that its refusal can say which it is.
const KEYS: [&str; 2] = ["PUBLIC KEY BLOCK", "PRIVATE KEY BLOCK"];

/// What every block looks like at its beginning, for hints.
pub const EXAMPLE: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";

/// Whether a text holds armor at all.
pub fn is_armored(text: &str) -> bool {
    text.lines().any(|line| line.trim_end().starts_with(BEGIN) || no_begin(line.trim_end()).is_err())
}

/// A line that was meant to begin a block, or ends one that has not begun. Errors: why, and what to do.
fn no_begin(line: &str) -> std::result::Result<(), (String, String)> {
    let is_meant = KEYS.iter().any(|kind| line.contains(&format!("PGP {kind}")));
    if !is_meant || line.starts_with(BEGIN) && line.ends_with("-----") {
        return Ok(());
    }
    let why = if line.starts_with("-----END ") {
        "a block ends here that has not begun"
    } else {
        "this is no beginning of a block"
    };
    Err((why.into(), format!("a block begins with exactly {EXAMPLE}")))
}

/// The binary content of each block of keys in `text`; what stands between the blocks is skipped.
///
/// `from` names where the text came from. Errors: another kind of block; a line that is no
/// armor; a block without its end; a checksum that is there and wrong.
pub fn blocks(text: &str, from: &str) -> Result<Vec<Vec<u8>>> {
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim_end()));
    let mut blocks = Vec::new();
    while let Some((start, line)) = lines.next() {
        let Some(kind) = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix("-----")) else {
            no_begin(line).map_err(|(why, hint)| broken(from, start, 1, &why).hint(hint))?;
            continue;
        };
        if kind.contains("-----") {
            return Err(broken(from, start, 1, "the whole block is on one line: its line ends were lost")
                .hint("put the variable that holds it into quotes"));
        }
        if !KEYS.contains(&kind) {
            let what = format!("a block begins here that holds no keys: PGP {}", text::safe(kind));
            return Err(broken(from, start, 1, &what).hint(format!("a public key begins with {EXAMPLE}")));
        }
        let mut data = String::new();
        let mut lengths = Vec::new();
        let mut checksum = None;
        let end = format!("-----END PGP {kind}-----");
        let mut part = Part::Headers;
        loop {
            let Some((number, line)) = lines.next() else {
                return Err(broken(
                    from,
                    start,
                    1,
                    &format!("the block that begins here does not end: `{end}` is missing"),
                ));
            };
            if line == end {
                break;
            }
            let is_data = matches!(part, Part::Data | Part::Padded);
            part = part.then(line).map_err(|(column, why)| broken(from, number, column, &why))?;
            match part {
                Part::Data | Part::Padded if is_data => {
                    lengths.push((number, line.len()));
                    data.push_str(line);
                }
                Part::Checksum if is_data => checksum = Some((number, line)),
                _ => {}
            }
        }
        let bytes = STANDARD.decode(&data).map_err(|_| {
            broken(from, damaged(&lengths).unwrap_or(start), 1, "the data is cut off or damaged here")
                .hint("copy it again, whole")
        })?;
        if let Some((number, line)) = checksum {
            check(&bytes, &line[1..], number, from)?;
        }
        blocks.push(bytes);
    }
    Ok(blocks)
}

/// The line at which data was lost: all but the last are of one length.
fn damaged(lengths: &[(usize, usize)]) -> Option<usize> {
    let (_, usual) = lengths.first()?;
    let other = lengths.iter().find(|(_, length)| length != usual);
    other.or(lengths.last()).map(|(number, _)| *number)
}

/// Which part of a block the next line belongs to.
enum Part {
    Headers,
    Data,
    /// Data that has ended with its padding.
    Padded,
    Checksum,
}

impl Part {
    /// Checks a line and moves on. Errors: its column, and why.
    fn then(self, line: &str) -> std::result::Result<Part, (usize, String)> {
        match self {
            Part::Headers if line.is_empty() => Ok(Part::Data),
            Part::Headers if line.contains(": ") || line.ends_with(':') => Ok(Part::Headers),
            Part::Headers => Err((1, "an empty line is due between the headers and the data".into())),
            Part::Checksum if line.is_empty() => Ok(Part::Checksum),
            Part::Checksum => Err((1, "the line that ends the block is due here".into())),
            Part::Padded if !line.starts_with('=') => {
                Err((1, "the data goes on here after its end: `=` stands at the end of the line before".into()))
            }
            Part::Data | Part::Padded => {
                let is_data = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/');
                let is_checksum = line.len() == 5 && line.starts_with('=');
                // Padding ends the data.
                let data = if is_checksum { &line[1..] } else { line.trim_end_matches('=') };
                match data.chars().position(|c| !is_data(c)) {
                    Some(at) => {
                        let found: String = line.chars().skip(at).take(1).collect();
                        Err((at + 1, format!("`{}` does not belong in the data", text::safe(&found))))
                    }
                    None if is_checksum => Ok(Part::Checksum),
                    None if line.ends_with('=') => Ok(Part::Padded),
                    None => Ok(Part::Data),
                }
            }
        }
    }
}

/// A wrong checksum may be let pass (RFC 9580 §6.1); a copy that was damaged on its way is not what one encrypts for.
fn check(bytes: &[u8], checksum: &str, line: usize, from: &str) -> Result<()> {
    let expected = crc24::hash_raw(bytes).to_be_bytes();
    match STANDARD.decode(checksum) {
        Ok(found) if found == expected[1..] => Ok(()),
        _ => Err(broken(from, line, 1, "the checksum is not that of the data: the key was damaged")
            .hint("copy it again, whole")),
    }
}

fn broken(from: &str, line: usize, column: usize, why: &str) -> Error {
    Error::usage(format!("line {line} of {from}: {why}")).at(Position { line, column })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = include_str!("../../tests/data/pgp/rfc9580-v6.asc");

    fn refused(text: &str) -> String {
        blocks(text, "key.asc").unwrap_err().message().to_owned()
    }

    #[test]
    fn blocks_are_found_between_other_text() {
        let text = format!("Hello\n\n{KEY}\nand another\n{}", KEY.replace('\n', "\r\n"));
        let found = blocks(&text, "x").unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], found[1]);
        assert!(is_armored(&text) && !is_armored("Hello"));
    }

    #[test]
    fn a_broken_block_names_its_line() {
        let mut lines: Vec<&str> = KEY.lines().collect();
        assert!(refused(&KEY.replacen("xioG", "x*oG", 1)).starts_with("line 3 of key.asc: `*`"));
        let checked = KEY.replacen("\n-----END", "\n=AAAA\n-----END", 1);
        assert!(refused(&checked).starts_with("line 12 of key.asc: the checksum"), "{}", refused(&checked));
        assert!(refused(&lines[..lines.len() - 1].join("\n")).contains("line 1 of key.asc: the block"));
        lines.remove(1);
        assert!(refused(&lines.join("\n")).starts_with("line 2 of key.asc: an empty line"));
        assert!(
            refused("-----BEGIN PGP MESSAGE-----\n\n-----END PGP MESSAGE-----").contains("holds no keys: PGP MESSAGE")
        );
    }
}
