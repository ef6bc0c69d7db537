//! How one occurrence of a list flag splits into entries.

use crate::model::uri;

/// Splits at commas, as Ory's list flags do; `"a,b"` in double quotes stays one entry, `""` in it is a quote.
///
/// Spaces around an entry without quotes go, and so do empty entries.
pub fn commas(text: &str) -> Vec<String> {
    let mut entries = Vec::new();
    let mut rest = text;
    loop {
        let (entry, after) = quoted(rest.trim_start()).unwrap_or_else(|| {
            let (entry, after) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
            (entry.trim().to_owned(), after)
        });
        if !entry.is_empty() {
            entries.push(entry);
        }
        match after.strip_prefix(',') {
            Some(after) => rest = after,
            None => return entries,
        }
    }
}

/// An entry in quotes that ends at a comma or with the text; what follows it comes along.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix('"')?;
    let mut entry = String::new();
    loop {
        let (part, after) = rest.split_once('"')?;
        entry.push_str(part);
        if let Some(after) = after.strip_prefix('"') {
            entry.push('"');
            rest = after;
            continue;
        }
        let after = after.trim_start();
        return (after.is_empty() || after.starts_with(',')).then_some((entry, after));
    }
}

/// Splits at a comma only where a scheme of two letters or more follows it: a URI may hold commas.
///
/// Text that starts with a double quote splits as [`commas`] does, since no URI does so.
pub fn uris(text: &str) -> Vec<String> {
    if text.trim_start().starts_with('"') {
        return commas(text);
    }
    let mut entries = Vec::new();
    let mut start = 0;
    for (comma, _) in text.match_indices(',') {
        let next = text[comma + 1..].trim_start();
        if uri::scheme(next).is_some_and(|scheme| scheme.len() > 1) {
            entries.push(&text[start..comma]);
            start = comma + 1;
        }
    }
    entries.push(&text[start..]);
    entries.into_iter().map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned).collect()
}
