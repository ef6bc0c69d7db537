//! The workspaces and projects that the sandbox's network has from the start, and the keys to them.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// A workspace.
#[derive(Debug, Eq, PartialEq)]
pub struct Workspace {
    pub id: &'static str,
    pub name: &'static str,
    pub key: &'static str,
}

/// A project of a workspace.
#[derive(Debug, Eq, PartialEq)]
pub struct Project {
    pub id: &'static str,
    pub slug: &'static str,
    pub name: &'static str,
    /// `prod`, `stage` or `dev`.
    pub environment: &'static str,
    /// `running` or `halted`.
    pub state: &'static str,
    /// Where in [`WORKSPACES`] its own is.
    pub workspace: usize,
    pub key: &'static str,
}

/// What a person who has signed in sends: it opens everything.
pub const SESSION: &str = "ory_at_sandbox";

/// Two of them begin alike, so that a prefix may be ambiguous.
pub const WORKSPACES: &[Workspace] = &[
    Workspace { id: "5b0c1f6e-0001-4a7e-9c1d-000000000001", name: "Acme", key: "ory_wak_sandbox_acme" },
    Workspace { id: "5b0c1f6e-0002-4a7e-9c1d-000000000002", name: "Acme Labs", key: "ory_wak_sandbox_labs" },
    Workspace { id: "5b0c1f6e-0003-4a7e-9c1d-000000000003", name: "Globex", key: "ory_wak_sandbox_globex" },
];

/// The first one has the sandbox's own clients; its slug is the beginning of another's.
pub const PROJECTS: &[Project] = &[
    Project {
        id: "7d3a52c0-0001-4f0b-8e55-000000000001",
        slug: "happy-hill",
        name: "Shop",
        environment: "prod",
        state: "running",
        workspace: 0,
        key: "ory_pat_sandbox_happy-hill",
    },
    Project {
        id: "7d3a52c0-0002-4f0b-8e55-000000000002",
        slug: "quiet-lake-staging",
        name: "Shop (staging)",
        environment: "stage",
        state: "running",
        workspace: 0,
        key: "ory_pat_sandbox_quiet-lake-staging",
    },
    Project {
        id: "7d3a52c0-0003-4f0b-8e55-000000000003",
        slug: "quiet-lake",
        name: "Experiments",
        environment: "dev",
        state: "running",
        workspace: 1,
        key: "ory_pat_sandbox_quiet-lake",
    },
    Project {
        id: "7d3a52c0-0004-4f0b-8e55-000000000004",
        slug: "old-mill",
        name: "Archive",
        environment: "dev",
        state: "halted",
        workspace: 1,
        key: "ory_pat_sandbox_old-mill",
    },
    Project {
        id: "7d3a52c0-0005-4f0b-8e55-000000000005",
        slug: "wild-wood",
        name: "Bank",
        environment: "prod",
        state: "running",
        workspace: 2,
        key: "ory_pat_sandbox_wild-wood",
    },
];

/// When all of it was made.
const CREATED: &str = "2026-01-01T00:00:00Z";

impl Workspace {
    /// As the console tells it.
    pub fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "subscription_id": null,
            "subscription_plan": "Production",
            "created_at": CREATED,
            "updated_at": CREATED,
        })
    }
}

impl Project {
    /// Whether its API answers.
    pub fn is_running(&self) -> bool {
        self.state == "running"
    }

    /// As the console tells it.
    pub fn to_json(&self) -> Value {
        let workspace = &WORKSPACES[self.workspace];
        json!({
            "id": self.id,
            "slug": self.slug,
            "name": self.name,
            "environment": self.environment,
            "home_region": "eu-central",
            "hosts": [format!("{}.projects.oryapis.com", self.slug)],
            "state": self.state,
            "subscription_id": null,
            "subscription_plan": "Production",
            "workspace_id": workspace.id,
            "workspace": workspace.to_json(),
            "revision_id": format!("9e1f{}", &self.id[4..]),
            "organizations": [],
            "services": {},
            "cors_admin": { "enabled": false, "origins": [] },
            "cors_public": { "enabled": false, "origins": [] },
            "created_at": CREATED,
            "updated_at": CREATED,
        })
    }
}

/// Projects and keys, for people.
pub fn help() -> String {
    let mut text = String::from("The network's projects and keys:\n");
    for project in PROJECTS {
        let workspace = WORKSPACES[project.workspace].name;
        let halted = if project.is_running() { "" } else { ", halted" };
        let _ =
            writeln!(text, "  {:<18}  {:<34}  {workspace}, {}{halted}", project.slug, project.key, project.environment);
    }
    for workspace in WORKSPACES {
        let _ = writeln!(text, "  {:<18}  {:<34}  workspace", workspace.name, workspace.key);
    }
    let _ = writeln!(text, "  {:<18}  {SESSION:<34}  as after a sign-in", "everything");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_there_twice() {
        let ids = PROJECTS.iter().flat_map(|project| [project.id, project.slug, project.key]);
        let ids = ids.chain(WORKSPACES.iter().flat_map(|workspace| [workspace.id, workspace.name, workspace.key]));
        let mut all: Vec<&str> = ids.chain([SESSION]).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(PROJECTS.iter().all(|project| project.workspace < WORKSPACES.len()));
        assert!(help().contains("ory_pat_sandbox_wild-wood"));
    }
}
