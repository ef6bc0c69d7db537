//! Ory Network's console API: workspaces and projects.

use std::collections::HashSet;
use std::fmt::Write as _;

use serde_json::Value;

use crate::api::send::ask;
use crate::api::{Door, Remote, Side, Wait, refusal, request};
use crate::error::{Error, Result};

/// So many pages are taken for a list that ends.
const MOST_PAGES: usize = 10_000;

/// A project or workspace, as far as choosing one needs it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// Its id.
    pub id: String,
    /// A project's slug, a workspace's name.
    pub name: String,
    /// A project's name, which is not its slug.
    pub title: Option<String>,
    /// Whether a project is `running`, `halted` or `deleted`; empty for a workspace.
    pub state: String,
}

impl Place {
    /// From the console's document; `name` is the member that people call it by.
    pub fn of(document: &Value, name: &str) -> Option<Self> {
        let text = |key: &str| document.get(key).and_then(Value::as_str).map(str::to_owned);
        let title = text("name").filter(|_| name != "name");
        Some(Place { id: text("id")?, name: text(name)?, title, state: text("state").unwrap_or_default() })
    }
}

/// The console API at one address, as one subject.
pub struct Console(pub Door);

impl Remote for Console {
    fn door(&self, _side: Side) -> Wait<'_, Result<Door>> {
        Box::pin(async { Ok(self.0.clone()) })
    }

    fn learn_public(&self, _url: url::Url) {}

    fn tell(&self, _message: &str) {}
}

impl Console {
    /// `GET /projects`: those that the credential sees.
    pub async fn projects(&self) -> Result<Vec<Place>> {
        self.all(&["projects"], "projects", "slug").await
    }

    /// `GET /workspaces`.
    pub async fn workspaces(&self) -> Result<Vec<Place>> {
        self.all(&["workspaces"], "workspaces", "name").await
    }

    /// `GET /workspaces/{id}/projects`.
    pub async fn projects_of(&self, workspace: &Place) -> Result<Vec<Place>> {
        self.all(&["workspaces", &workspace.id, "projects"], "projects", "slug").await
    }

    /// The same lists as the console tells them.
    pub async fn documents(&self, path: &[&str], what: &str) -> Result<Vec<Value>> {
        self.every(path, what).await
    }

    /// `GET /projects/{id}`; `None` where there is no such project, or it is not for this subject.
    pub async fn project(&self, id: &str) -> Result<Option<Place>> {
        let document = self.document(&["projects", id], &format!("cannot get project `{id}`")).await?;
        Ok(document.and_then(|document| Place::of(&document, "slug")))
    }

    /// One document; `None` where there is none.
    pub async fn document(&self, path: &[&str], about: &str) -> Result<Option<Value>> {
        let request = request::console_get(path);
        match ask(self, &request, about).await {
            Ok(answer) => serde_json::from_slice(&answer.body)
                .map(Some)
                .map_err(|_| refusal::not_understood(&answer, about, "a JSON object")),
            Err(error) if matches!(error.status(), Some(400 | 404)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a key to a project, good until `expires_at` (RFC 3339): `{id, value, …}`.
    pub async fn make_key(
        &self,
        project: &str,
        name: &str,
        expires_at: &str,
    ) -> Result<serde_json::Map<String, Value>> {
        let about = format!("cannot make a key to project `{project}`");
        let answer = ask(self, &request::make_project_key(project, name, expires_at), &about).await?;
        serde_json::from_slice(&answer.body).map_err(|_| refusal::not_understood(&answer, &about, "a key"))
    }

    /// Deletes a key to a project.
    pub async fn delete_key(&self, project: &str, key: &str) -> Result<()> {
        ask(self, &request::delete_project_key(project, key), &format!("cannot delete key `{key}`")).await.map(drop)
    }

    /// Every page of a list, as far as choosing one needs it.
    async fn all(&self, path: &[&str], what: &str, name: &str) -> Result<Vec<Place>> {
        Ok(self.every(path, what).await?.iter().filter_map(|item| Place::of(item, name)).collect())
    }

    /// Every page of a list: a bare array, or `{what: […], has_next_page, next_page_token | next_page}`.
    async fn every(&self, path: &[&str], what: &str) -> Result<Vec<Value>> {
        let about = format!("cannot list {what}");
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        let mut seen = HashSet::new();
        loop {
            let answer = ask(self, &request::console_list(path, token.as_deref()), &about).await?;
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let items = body.as_array().or_else(|| body.get(what)?.as_array());
            found.extend(items.ok_or_else(|| refusal::not_understood(&answer, &about, "a list"))?.iter().cloned());
            let text = |key: &str| body.get(key).and_then(Value::as_str).filter(|next| !next.is_empty());
            let next = text("next_page_token").or_else(|| text("next_page")).map(str::to_owned);
            let has_next = body.get("has_next_page").and_then(Value::as_bool).unwrap_or(false);
            if seen.len() > MOST_PAGES {
                return Err(Error::failed(format!("{about}: the list does not end")));
            }
            if !has_next || next.as_ref().is_none_or(|next| !seen.insert(next.clone())) {
                return Ok(found);
            }
            token = next;
        }
    }
}

impl Place {
    /// Whether a text names it: by its whole id, slug or name, or by how one of them begins.
    pub fn is_named(&self, wanted: &str, is: fn(&str, &str) -> bool) -> bool {
        is(&self.id, wanted) || is(&self.name, wanted) || self.title.as_deref().is_some_and(|title| is(title, wanted))
    }
}

/// The one place that `wanted` names: by an exact id, slug or name, else the only one of which one begins so.
pub fn pick<'a>(places: &'a [Place], wanted: &str, what: &str) -> Result<&'a Place> {
    let found = |is: fn(&str, &str) -> bool| places.iter().filter(|place| place.is_named(wanted, is)).collect();
    let mut near: Vec<&Place> = found(|text, wanted| text == wanted);
    let is_exact = !near.is_empty();
    if !is_exact && !wanted.is_empty() {
        near = found(|text, wanted| text.starts_with(wanted));
    }
    match near.as_slice() {
        [place] => Ok(place),
        [] => Err(Error::usage(format!("there is no {what} `{wanted}`"))
            .did_you_mean(crate::error::nearest(wanted, places.iter().map(|place| place.name.as_str())))),
        several => {
            let mut list = String::new();
            for place in several.iter().take(10) {
                let _ = write!(list, "\n  {} ({})", place.name, place.id);
            }
            let is = if is_exact { "names" } else { "is the beginning of" };
            let hint = if is_exact { "name it by its id" } else { "write more of it" };
            Err(Error::usage(format!("`{wanted}` {is} {} {what}s:{list}", several.len())).hint(hint))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_name_wins_over_what_it_begins() {
        let place = |id: &str, name: &str| Place {
            id: id.into(),
            name: name.into(),
            title: Some(name.to_uppercase()),
            state: String::new(),
        };
        let places = [place("1a", "happy"), place("2b", "happy-hill"), place("3c", "sad")];
        assert_eq!(pick(&places, "happy", "project").unwrap().id, "1a");
        assert_eq!(pick(&places, "happy-", "project").unwrap().id, "2b");
        assert_eq!(pick(&places, "3", "project").unwrap().id, "3c");
        assert_eq!(pick(&places, "HAPPY-H", "project").unwrap().id, "2b");
        assert!(pick(&places, "", "project").is_err());
        let twins = [place("1a", "x"), place("2b", "x")];
        assert!(pick(&twins, "x", "project").unwrap_err().message().contains("names 2 projects"));
        assert!(pick(&places, "hap", "project").unwrap_err().message().contains("2 projects"));
        assert!(pick(&places, "hapy", "project").unwrap_err().hints()[0].contains("happy"));
    }
}
