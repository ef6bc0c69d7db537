//! Who asks: the keys of projects and workspaces, and those that projects have made of late.

use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, header};
use uuid::Uuid;

use super::places::{PROJECTS, Project, SESSION, WORKSPACES};
use super::sign_in::SignIns;
use crate::error::Result;
use crate::sandbox::crypt;
use crate::sandbox::shared::now;

/// Who asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Subject {
    /// A person who has signed in.
    Person,
    /// A workspace's key, for its place in the list: for the console only.
    Workspace(usize),
    /// A project's key.
    Project(&'static Project),
}

impl Subject {
    /// Whether the console shows a project.
    pub fn sees(self, project: &Project) -> bool {
        match self {
            Subject::Person => true,
            Subject::Workspace(workspace) => project.workspace == workspace,
            Subject::Project(own) => own == project,
        }
    }

    /// Whether the console shows a workspace.
    pub fn sees_workspace(self, workspace: usize) -> bool {
        match self {
            Subject::Person => true,
            Subject::Workspace(own) => own == workspace,
            Subject::Project(_) => false,
        }
    }

    /// Whether a project's admin API answers.
    pub fn may_admin(self, project: &Project) -> bool {
        !matches!(self, Subject::Workspace(_)) && self.sees(project)
    }
}

/// How many keys that still count a project may have made.
pub const QUOTA: usize = 25;

/// A key that was made for a project.
#[derive(Debug)]
struct Made {
    id: String,
    digest: Vec<u8>,
    project: &'static Project,
    /// In seconds since 1970, if ever.
    expires: Option<i64>,
}

/// The keys that were made since the start.
#[derive(Debug, Default)]
pub struct Keys(Mutex<Vec<Made>>);

impl Made {
    fn lives(&self) -> bool {
        self.expires.is_none_or(|expires| expires > now())
    }
}

impl Keys {
    /// Who sends `Authorization: Bearer …` (RFC 6750 §2.1).
    pub fn subject(&self, headers: &HeaderMap, sign_ins: &SignIns) -> Option<Subject> {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, key) = value.split_once(' ')?;
        let key = scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())?;
        if key == SESSION || sign_ins.knows(key) {
            return Some(Subject::Person);
        }
        let workspace = WORKSPACES.iter().position(|workspace| workspace.key == key).map(Subject::Workspace);
        let project = || PROJECTS.iter().find(|project| project.key == key).map(Subject::Project);
        workspace.or_else(project).or_else(|| self.made(key).map(Subject::Project))
    }

    fn made(&self, key: &str) -> Option<&'static Project> {
        let digest = crypt::digest(key);
        let made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        made.iter().find(|made| made.digest == digest && made.lives()).map(|made| made.project)
    }

    /// Makes a key; gives its id and itself. `None`: the quota is used up.
    pub fn make(&self, project: &'static Project, expires: Option<i64>) -> Result<Option<(String, String)>> {
        let (id, key) = (Uuid::new_v4().to_string(), format!("ory_pat_{}", crypt::generate_secret()?));
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(Made::lives);
        if all.iter().filter(|made| made.project == project).count() >= QUOTA {
            return Ok(None);
        }
        all.push(Made { id: id.clone(), digest: crypt::digest(&key), project, expires });
        Ok(Some((id, key)))
    }

    /// Deletes a key of a project. False if there is none of that id.
    pub fn delete(&self, project: &Project, id: &str) -> bool {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = made.len();
        made.retain(|made| made.project != project || made.id != id);
        made.len() < before
    }
}
