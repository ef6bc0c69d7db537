//! Values that are put together from the columns of a row: `{{name}}-{{env}}`.

use crate::error::{Error, Result};
use crate::text::safe;

/// A text with columns in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Part {
    Text(String),
    Column(String),
}

impl Template {
    /// Reads a template. Errors are of usage: a column that does not end or has no name.
    pub fn parse(text: &str) -> Result<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, behind) = after.split_once("}}").ok_or_else(|| {
                Error::usage(format!("`{}`: a column that begins with `{{{{` does not end with `}}}}`", safe(text)))
            })?;
            if name.trim().is_empty() {
                return Err(Error::usage(format!("`{}` names a column without a name", safe(text))));
            }
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Column(name.trim().to_owned()));
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Template(parts))
    }

    /// The columns in it.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Column(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The text for a row. Errors are of usage: a column that has nothing there.
    pub fn fill(&self, of: impl Fn(&str) -> Option<String>) -> Result<String> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Column(name) => text.push_str(&of(name).ok_or_else(|| {
                    Error::usage(format!("the template wants `{}`, and the row has none", safe(name)))
                })?),
            }
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_filled_in() {
        let template = Template::parse("{{name}}-{{ env }}!").unwrap();
        assert_eq!(template.columns().collect::<Vec<_>>(), ["name", "env"]);
        assert_eq!(template.fill(|name| Some(name.to_uppercase())).unwrap(), "NAME-ENV!");
        assert!(template.fill(|_| None).unwrap_err().message().contains("`name`"));
        assert_eq!(Template::parse("plain").unwrap().fill(|_| None).unwrap(), "plain");
        assert!(Template::parse("{{name").is_err() && Template::parse("{{ }}").is_err());
    }
}
