//! The words of a command that is being typed: its last one may be within a quote, and what is inserted there is quoted as it is.

/// The words of a command up to the cursor.
#[derive(Debug, Default)]
pub struct Begun {
    /// The words before the last one, as they are handed over.
    pub words: Vec<String>,
    /// Where the last one begins, a quote with it.
    pub start: usize,
    /// The last one, without its quotes.
    pub word: String,
    /// The quote that is open at its end.
    quote: Option<char>,
    /// Whether it is the file that the command's output goes to, or of another program.
    pub is_elsewhere: bool,
}

/// Takes a command apart that may be open at its end.
pub fn begun(step: &str) -> Begun {
    let mut begun = Begun::default();
    let mut characters = step.char_indices().peekable();
    let mut is_word = false;
    while let Some((at, c)) = characters.next() {
        if !is_word && begun.quote.is_none() {
            match c {
                c if c.is_whitespace() => continue,
                '>' | '|' => {
                    begun.is_elsewhere = true;
                    continue;
                }
                _ => (begun.start, is_word) = (at, true),
            }
        }
        match (begun.quote, c) {
            (Some(open), c) if c == open => begun.quote = None,
            (Some('"'), '\\') => match characters.next() {
                Some((_, c @ ('"' | '\\' | '$' | '`'))) => begun.word.push(c),
                Some((_, c)) => begun.word.extend(['\\', c]),
                None => {}
            },
            (None, '\'' | '"') => begun.quote = Some(c),
            (None, '\\') => begun.word.extend(characters.next().map(|(_, c)| c)),
            (None, c) if c.is_whitespace() => {
                begun.words.push(std::mem::take(&mut begun.word));
                is_word = false;
            }
            (_, c) => begun.word.push(c),
        }
    }
    if !is_word {
        begun.start = step.len();
    }
    begun
}

impl Begun {
    /// A word as it is typed there: in the quote that is open, or with a backslash before each character that means something, so
    /// that words that begin alike are typed alike as far as that.
    pub fn quoted(&self, word: &str) -> String {
        match self.quote {
            Some('\'') => format!("'{}'", word.replace('\'', r"'\''")),
            Some(_) => format!("\"{}\"", escaped(word, |_, c| matches!(c, '"' | '\\' | '$' | '`'))),
            None => escaped(word, |at, c| {
                c.is_whitespace()
                    || matches!(c, '\'' | '"' | '\\' | '$' | '`' | ';' | '|' | '&' | '>')
                    || at == 0 && c == '#'
            }),
        }
    }
}

fn escaped(word: &str, means_something: fn(usize, char) -> bool) -> String {
    let mut text = String::with_capacity(word.len());
    for (at, c) in word.char_indices() {
        if means_something(at, c) {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::parts::{Piece, first};

    #[test]
    fn what_is_inserted_is_read_as_it_was() {
        for word in ["zz top", "zy;version", "it's", "a\"b", "a\\b", "${x}", "#a", "a&&b", "> x", "grün `x`", "[a-f]*"]
        {
            for open in ["", "'", "\"", "z", "'z", "\"z"] {
                let typed = format!("get client {}", begun(open).quoted(word));
                let (step, rest) = first(&typed).unwrap();
                assert_eq!((step.words.last(), rest), (Some(&vec![Piece::Text(word.to_owned())]), None), "{typed}");
            }
        }
    }

    #[test]
    fn the_last_word_may_be_open() {
        let told = |step: &str| {
            let begun = begun(step);
            (begun.words.join("|"), begun.start, begun.word)
        };
        assert_eq!(told("get 'a b' \"c d"), ("get|a b".into(), 10, "c d".into()));
        assert_eq!(told("get a\\ b"), ("get".into(), 4, "a b".into()));
        assert_eq!(told("get a "), ("get|a".into(), 6, String::new()));
        assert_eq!(told("get ''"), ("get".into(), 4, String::new()));
        assert!(begun("get a > x").is_elsewhere && !begun("get 'a > x").is_elsewhere);
    }
}
