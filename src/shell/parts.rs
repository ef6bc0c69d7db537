//! A line into its steps: commands with `;` and `&&` between them, where their output goes, and what of their words is Rhai.

use crate::error::{Error, Result};

/// A command of a line.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Step {
    /// Its words, each in pieces.
    pub words: Vec<Vec<Piece>>,
    /// Where what it shows goes.
    pub to: To,
    /// Whether it is only done where the step before it was.
    pub only_then: bool,
}

/// A piece of a word.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Piece {
    /// As it stands.
    Text(String),
    /// `${…}`: Rhai, whose value stands there.
    Code(String),
}

/// Where what a command shows goes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum To {
    /// The terminal, or wherever stdout goes.
    #[default]
    Stdout,
    /// `> FILE`: into a file in which nothing is yet; `>| FILE`: whatever is in it.
    File(Vec<Piece>, bool),
    /// `>> FILE`: below what is there.
    Below(Vec<Piece>),
    /// `| PROGRAM`: to a program, as `sh` reads the rest of the line; `${…}` in it may be Rhai.
    Program(Vec<Piece>),
}

/// Takes the first step off a line that begins with a command: the step, and what is left of the line, with whether that is only
/// done where this is. Errors are of usage: an open quote, an operator without what it is for.
pub fn first(line: &str) -> Result<(Step, Option<(bool, &str)>)> {
    let mut reader = Reader { line, at: 0 };
    let mut step = Step::default();
    loop {
        reader.skip_space();
        match reader.operator() {
            Some(Operator::End) => return Ok((step, None)),
            Some(Operator::Then { only }) => {
                let rest = reader.rest().trim_start();
                if only && (rest.is_empty() || step.words.is_empty()) {
                    return Err(Error::usage("`&&` stands between two commands"));
                }
                return Ok((step, Some((only, rest)).filter(|(_, rest)| !rest.is_empty())));
            }
            Some(Operator::Into { below, over }) => {
                reader.skip_space();
                let what = if below {
                    ">>"
                } else if over {
                    ">|"
                } else {
                    ">"
                };
                let none = || Error::usage(format!("`{what}` names no file"));
                if reader.operator_is_next() {
                    return Err(none());
                }
                let file = reader.word()?;
                if file.is_empty() {
                    return Err(none());
                }
                if step.to != To::Stdout {
                    return Err(Error::usage("what a command shows goes to one place"));
                }
                step.to = if below { To::Below(file) } else { To::File(file, over) };
            }
            Some(Operator::Pipe) => {
                reader.skip_space();
                let program = reader.program();
                if program.is_empty() {
                    return Err(Error::usage("`|` names no program"));
                }
                if step.to != To::Stdout {
                    return Err(Error::usage("what a command shows goes to one place"));
                }
                step.to = To::Program(program);
                return Ok((step, None));
            }
            None if step.to != To::Stdout => {
                return Err(Error::usage("words stand behind the file that the command's output goes to")
                    .hint("`>` and its file stand at the end of a command"));
            }
            None => step.words.push(reader.word()?),
        }
    }
}

enum Operator {
    End,
    Then { only: bool },
    Into { below: bool, over: bool },
    Pipe,
}

/// Reads a line as a POSIX shell quotes it.
struct Reader<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.line[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn skip_space(&mut self) {
        loop {
            self.at += self.rest().len() - self.rest().trim_start().len();
            // A line that goes on in the next one.
            match self.rest().strip_prefix("\\\n") {
                Some(_) => self.at += 2,
                None => return,
            }
        }
    }

    fn operator_is_next(&self) -> bool {
        Reader { line: self.line, at: self.at }.operator().is_some()
    }

    /// An operator at the beginning of a word; a comment ends the line.
    fn operator(&mut self) -> Option<Operator> {
        let known = [
            ("&&", Operator::Then { only: true }),
            (">>", Operator::Into { below: true, over: false }),
            (">|", Operator::Into { below: false, over: true }),
            (";", Operator::Then { only: false }),
            (">", Operator::Into { below: false, over: false }),
            ("|", Operator::Pipe),
        ];
        let rest = self.rest();
        if rest.is_empty() || rest.starts_with('#') {
            self.at = self.line.len();
            return Some(Operator::End);
        }
        let (text, operator) = known.into_iter().find(|(text, _)| rest.starts_with(text))?;
        self.at += text.len();
        Some(operator)
    }

    /// What `sh` reads, in pieces: where it puts values itself, `${…}` may be one of Rhai.
    fn program(&mut self) -> Vec<Piece> {
        let (mut pieces, mut text) = (Vec::new(), String::new());
        let (mut is_single, mut is_double) = (false, false);
        while let Some(next) = self.peek() {
            if !is_single && self.rest().starts_with("${") {
                let from = self.at;
                if self.code(&mut text, &mut pieces).is_ok() {
                    continue;
                }
                // It is for `sh` to say what is wrong with it.
                self.at = from;
            }
            self.take();
            text.push(next);
            match next {
                '\\' if !is_single => text.extend(self.take()),
                '\'' if !is_double => is_single = !is_single,
                '"' if !is_single => is_double = !is_double,
                _ => {}
            }
        }
        if !text.trim().is_empty() {
            pieces.push(Piece::Text(text.trim_end().to_owned()));
        }
        pieces
    }

    /// A word, in pieces. It ends at a space, and before an operator.
    fn word(&mut self) -> Result<Vec<Piece>> {
        let (mut pieces, mut text, mut is_quoted) = (Vec::new(), String::new(), false);
        while let Some(next) = self.peek() {
            match next {
                c if c.is_whitespace() => break,
                ';' | '|' | '>' => break,
                '&' if self.rest().starts_with("&&") => break,
                '\'' => {
                    is_quoted = true;
                    self.take();
                    self.single(&mut text)?;
                }
                '"' => {
                    is_quoted = true;
                    self.take();
                    self.double(&mut text, &mut pieces)?;
                }
                '\\' => {
                    self.take();
                    match self.take() {
                        Some('\n') => {}
                        Some(c) => text.push(c),
                        None => return Err(open()),
                    }
                }
                '$' if self.rest().starts_with("${") => self.code(&mut text, &mut pieces)?,
                c => {
                    self.take();
                    text.push(c);
                }
            }
        }
        if !text.is_empty() || is_quoted && pieces.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Ok(pieces)
    }

    fn single(&mut self, text: &mut String) -> Result<()> {
        loop {
            match self.take() {
                Some('\'') => return Ok(()),
                Some(c) => text.push(c),
                None => return Err(open()),
            }
        }
    }

    fn double(&mut self, text: &mut String, pieces: &mut Vec<Piece>) -> Result<()> {
        loop {
            if self.rest().starts_with("${") {
                self.code(text, pieces)?;
                continue;
            }
            match self.take() {
                Some('"') => return Ok(()),
                Some('\\') => match self.take() {
                    Some(c @ ('"' | '\\' | '$' | '`')) => text.push(c),
                    Some('\n') => {}
                    Some(c) => text.extend(['\\', c]),
                    None => return Err(open()),
                },
                Some(c) => text.push(c),
                None => return Err(open()),
            }
        }
    }

    /// `${…}` up to its brace: braces within, and those in texts, are Rhai's own.
    fn code(&mut self, text: &mut String, pieces: &mut Vec<Piece>) -> Result<()> {
        self.at += "${".len();
        let from = self.at;
        let (mut depth, mut quote) = (1, None);
        while let Some(next) = self.take() {
            match (quote, next) {
                (Some(_), '\\') => drop(self.take()),
                (Some(open), c) if c == open => quote = None,
                (None, '"' | '`') => quote = Some(next),
                (None, '{') => depth += 1,
                (None, '}') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let code = self.line[from..self.at - 1].trim();
                if code.is_empty() {
                    return Err(Error::usage("`${}` holds nothing").hint("as ${it.client_id}"));
                }
                if !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(text)));
                }
                pieces.push(Piece::Code(code.to_owned()));
                return Ok(());
            }
        }
        Err(Error::usage("`${` is open").hint("close it: ${it.client_id}"))
    }
}

fn open() -> Error {
    Error::usage("a quote is open, or the line ends with a backslash").hint("close it: 'a b' or \"a b\"")
}

/// Whether a line of a command goes on in the next one: it ends with a backslash that nothing quotes, and that is in no comment.
pub fn goes_on(line: &str) -> bool {
    line.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1 && !ends_in_comment(line)
}

/// Whether a quote is open at the end of a line of a command: in what is pasted it goes on in the next one.
pub fn is_open(line: &str) -> bool {
    end(line).is_none()
}

/// The comment at the end of a line of a command.
pub fn comment(line: &str) -> Option<&str> {
    end(line).filter(|end| end.starts_with('#'))
}

fn ends_in_comment(line: &str) -> bool {
    comment(line).is_some()
}

/// What stands at the end of a line of a command: nothing, a comment, or what a program reads; none where a word of it is open.
fn end(line: &str) -> Option<&str> {
    let mut reader = Reader { line, at: 0 };
    loop {
        reader.skip_space();
        let rest = reader.rest();
        match reader.operator() {
            Some(Operator::End | Operator::Pipe) => return Some(rest),
            Some(Operator::Then { .. } | Operator::Into { .. }) => {}
            None => drop(reader.word().ok()?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(step: &Step) -> Vec<String> {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Code(code) => format!("<{code}>"),
        };
        step.words.iter().map(|word| word.iter().map(piece).collect()).collect()
    }

    #[test]
    fn words_are_quoted_as_a_shell_does() {
        for (line, expected) in [
            (
                r#"create client -n "my app" --metadata '{"a": "$x ${y}"}' # so"#,
                vec!["create", "client", "-n", "my app", "--metadata", r#"{"a": "$x ${y}"}"#],
            ),
            (r#"get a\ b "x\"y" '' http://a/?x=1&y=2;"#, vec!["get", "a b", "x\"y", "", "http://a/?x=1&y=2"]),
            ("get ${it.client_id} \"a ${m[\"}\"]} b\"", vec!["get", "<it.client_id>", "a <m[\"}\"]> b"]),
            ("get a\\\n  b", vec!["get", "a", "b"]),
            ("get a \\\n  b", vec!["get", "a", "b"]),
            ("get a#b #c", vec!["get", "a#b"]),
            ("get a>b", vec!["get", "a"]),
            ("get a&&get b", vec!["get", "a"]),
            ("get a|cat", vec!["get", "a"]),
            ("get 'a>b' \"c|d\" e\\&&f", vec!["get", "a>b", "c|d", "e&&f"]),
        ] {
            let (step, _) = first(line).unwrap();
            assert_eq!(words(&step), expected, "{line}");
        }
        for line in [
            "get 'a",
            "get \"a",
            "get a\\",
            "get ${a",
            "get ${}",
            "get a >",
            "get a > ; b",
            "get a |",
            "get a &&",
            "&& a",
            "get > a b",
            "get > a > b",
        ] {
            assert!(first(line).is_err(), "{line}");
        }
    }

    #[test]
    fn steps_follow_each_other_and_their_output_goes_where_it_is_told() {
        let (step, rest) = first("list clients > 'a b.json' && get x; y").unwrap();
        assert_eq!(step.to, To::File(vec![Piece::Text("a b.json".into())], false));
        assert_eq!(rest, Some((true, "get x; y")));
        assert_eq!(first("get x; y").unwrap().1, Some((false, "y")));
        assert_eq!(first("get x;").unwrap().1, None);
        assert_eq!(first("get x >| l").unwrap().0.to, To::File(vec![Piece::Text("l".into())], true));
        assert_eq!(first("get x >> l").unwrap().0.to, To::Below(vec![Piece::Text("l".into())]));
        let program = |line: &str| match first(line).unwrap().0.to {
            To::Program(pieces) => pieces,
            other => panic!("{other:?}"),
        };
        let text = |text: &str| Piece::Text(text.into());
        assert_eq!(program("get x | grep 'a;b' | sort"), [text("grep 'a;b' | sort")]);
        assert_eq!(
            program("get x|grep \"${it.a} b\" '${c}'"),
            [text("grep \""), Piece::Code("it.a".into()), text(" b\" '${c}'")]
        );
        assert!(goes_on("a \\") && !goes_on("a \\\\") && !goes_on("a") && !goes_on("a # b \\"));
        assert!(is_open("a 'b") && is_open("a; b \"c") && !is_open("a 'b'") && !is_open("a # 'b"));
    }
}
