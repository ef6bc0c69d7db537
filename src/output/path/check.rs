//! Finds broken paths before anything is sent: gjson itself takes nearly anything, and then matches nothing.

/// The modifiers that the gjson crate has.
const MODIFIERS: [&str; 7] = ["this", "reverse", "ugly", "pretty", "valid", "flatten", "join"];

/// Why a gjson path cannot be meant as it stands, if so.
pub(super) fn gjson(path: &str) -> Result<(), String> {
    if path.trim().is_empty() {
        return Err("it is empty".into());
    }
    // Two dots at the start: lines of JSON.
    steps(path.strip_prefix("..").unwrap_or(path))
}

/// The name that a path begins with, if its first step is one and stands for nothing else.
pub(super) fn first_name(path: &str) -> Option<String> {
    let first = &path[..step(path).ok()?];
    let is_name = !first.starts_with(['#', '{', '[', '@', '.']) && !first.contains(['*', '?']);
    is_name.then(|| first.replace('\\', ""))
}

/// Whether a second step goes below the first one; a modifier stays where it is.
pub(super) fn goes_below(path: &str) -> bool {
    let rest = step(path).map_or("", |length| &path[length..]);
    rest.starts_with(['.', '|']) && !rest[1..].starts_with('@')
}

/// Checks step by step, as gjson walks.
fn steps(path: &str) -> Result<(), String> {
    let mut rest = path;
    loop {
        let length = step(rest)?;
        match rest[length..].chars().next() {
            None => return Ok(()),
            Some('.' | '|') => rest = &rest[length + 1..],
            Some(other) => return Err(format!("`{other}` cannot follow `{}`", &rest[..length])),
        }
    }
}

/// The length of the first step.
fn step(rest: &str) -> Result<usize, String> {
    match rest.chars().next() {
        None | Some('.' | '|') => Err("a step is empty; a dot in a name is written `\\.`".into()),
        Some('#') => match rest[1..].chars().next() {
            None | Some('.' | '|') => Ok(1),
            Some('(') => {
                let end = 1 + closed(&rest[1..])?;
                Ok(if rest[end..].starts_with('#') { end + 1 } else { end })
            }
            Some(_) => Err("`#` is followed by `(`, `.` or nothing".into()),
        },
        Some('{' | '[') => {
            let end = closed(rest)?;
            for part in parts(&rest[1..end - 1], rest.starts_with('{')) {
                steps(part)?;
            }
            Ok(end)
        }
        Some('@') => modifier(rest),
        Some(_) => name(rest),
    }
}

fn modifier(rest: &str) -> Result<usize, String> {
    let end = rest.find([':', '.', '|']).unwrap_or(rest.len());
    let name = &rest[1..end];
    if !MODIFIERS.contains(&name) {
        let known = MODIFIERS.map(|name| format!("@{name}")).join(", ");
        return Err(format!("there is no `@{name}`; there are {known}"));
    }
    if !rest[end..].starts_with(':') {
        return Ok(end);
    }
    let argument = &rest[end + 1..];
    Ok(end
        + 1
        + match argument.chars().next() {
            Some('{' | '[') => closed(argument)?,
            Some('"') => quoted(argument)?,
            _ => argument.find(['.', '|']).unwrap_or(argument.len()),
        })
}

fn name(rest: &str) -> Result<usize, String> {
    let mut characters = rest.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '.' | '|' => return Ok(at),
            '\\' if characters.next().is_none() => return Err("it ends with a backslash".into()),
            '[' | ']' | '(' | ')' | '{' | '}' => {
                return Err(format!(
                    "`{c}` in a name is written `\\{c}`; an item of a list is `uris.0`, and `$.uris[0]` is JSONPath"
                ));
            }
            _ => {}
        }
    }
    Ok(rest.len())
}

/// The length of what an opening bracket and its closing one enclose, both included.
fn closed(text: &str) -> Result<usize, String> {
    let mut open = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        match c {
            '"' => {
                at += quoted(&text[at..])?;
                continue;
            }
            '\\' => at += text[at + 1..].chars().next().map_or(0, char::len_utf8),
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' => {
                if open.pop() != Some(c) {
                    return Err(format!("`{c}` closes nothing"));
                }
                if open.is_empty() {
                    return Ok(at + 1);
                }
            }
            _ => {}
        }
        at += c.len_utf8();
    }
    Err(open.pop().map_or_else(|| "a bracket is missing".into(), |missing| format!("`{missing}` is missing")))
}

/// The length of a string, its quotes included.
fn quoted(text: &str) -> Result<usize, String> {
    let mut escaped = true;
    for (at, c) in text.char_indices() {
        match c {
            '"' if !escaped => return Ok(at + 1),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    Err("a quote is missing".into())
}

/// The paths that commas separate, outside of brackets; with `named`, a path may have `name:` before it.
fn parts(inner: &str, named: bool) -> Vec<&str> {
    let (mut parts, mut start, mut at) = (Vec::new(), 0, 0);
    while let Some(c) = inner[at..].chars().next() {
        match c {
            '(' | '[' | '{' => at += closed(&inner[at..]).unwrap_or(1),
            '\\' => at += 1 + inner[at + 1..].chars().next().map_or(0, char::len_utf8),
            ',' => {
                parts.push(&inner[start..at]);
                at += 1;
                start = at;
            }
            ':' if named && !inner[start..].starts_with('@') => {
                at += 1;
                start = at;
            }
            c => at += c.len_utf8(),
        }
    }
    parts.push(&inner[start..]);
    parts
}

/// Why a pointer breaks RFC 6901, if so.
pub(super) fn pointer(pointer: &str) -> Result<(), String> {
    if pointer.is_empty() {
        return Err("it is empty; the whole result is --format json".into());
    }
    if !pointer.starts_with('/') {
        return Err("a pointer begins with `/`".into());
    }
    for (at, _) in pointer.match_indices('~') {
        if !matches!(pointer.as_bytes().get(at + 1), Some(b'0' | b'1')) {
            return Err("`~` is written `~0`, and `/` in a name `~1`".into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for bad in [
            "",
            " ",
            ".",
            "a.",
            "a..b",
            ".a",
            "a|",
            "#x",
            "#(a",
            "#(a]",
            "#(a)x",
            "#(a==\"x)",
            "[a",
            "[a,",
            "{a:b",
            "[a,]",
            "{a}b",
            "@nope",
            "a|@nope",
            "[@nope]",
            "@pretty:{",
            "@pretty:\"",
            "redirect_uris[0]",
            "a)",
            "a\\",
            "{}",
            "a.#b",
        ] {
            assert!(gjson(bad).is_err(), "{bad}");
        }
        for bad in ["", "a", "a/b", "/~", "/~2", "/a~"] {
            assert!(pointer(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_gjson_documents_is_taken() {
        for good in [
            "name.last",
            "children.#",
            "child*.2",
            "c?ildren.0",
            r"fav\.movie",
            "friends.#.first",
            "..#",
            r#"friends.#(last=="Murphy").first"#,
            r#"friends.#(last=="Murphy")#.first"#,
            "friends.#(age>45)#|0",
            r#"friends.#(nets.#(=="fb"))#.first"#,
            r#"friends.#(first%"D*").last"#,
            "children|@reverse|0",
            "@this",
            r#"@pretty:{"sortKeys":true}"#,
            "{name.first,age,\"the_murphys\":friends.#(last=\"Murphy\")#.first}",
            "[a,b.c|@join]",
            "@flatten:{\"deep\":true}|0",
            r"a\[0\]",
            "ünï.ç",
        ] {
            assert_eq!(gjson(good), Ok(()), "{good}");
        }
        assert_eq!(pointer("/"), Ok(()));
        assert_eq!(pointer("/a~1b/~0"), Ok(()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn no_path_breaks_the_checks_nor_an_accepted_one_gjson(path in r#"([a-c.|#@:,"\\{}()\[\]=%~*é]|@this|@join|#\(){0,12}"#) {
            let json = r#"{"a":[{"b":1,"c":"x\u00e9"},{"b":[2,[3]]},"é"],"b":{"c":{"a":null}},"c":"y"}"#;
            if gjson(&path).is_ok() {
                let _ = gjson::get(json, &path).json().len();
            }
        }
    }
}
