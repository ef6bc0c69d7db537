//! Where a run acts and as whom, so that it is resumed nowhere else.

use serde_json::Value;
use url::Url;

use super::store::Facts;
use crate::api::send::ask;
use crate::api::{Remote as _, Side, request};
use crate::error::{Error, Result};
use crate::net;
use crate::session::Session;
use crate::session::target::Target;
use crate::text::safe;

/// A server, and who is signed in there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    /// The address of the admin API; of the sandbox inside this program its name, as its ports change.
    pub admin: String,
    /// What the server calls itself, where its public side could be asked (OpenID Connect Discovery 1.0 §3).
    pub issuer: Option<String>,
    /// Who is signed in, without any secret: tokens and keys come and go in the middle of a run.
    pub subject: String,
}

impl Identity {
    /// That of the session now.
    pub fn of(session: &Session) -> Result<Self> {
        let (chosen, admin) = (session.chosen()?, session.server()?);
        // On Ory Network the project's address is the project.
        let issuer = match chosen.target {
            Target::Network(_) | Target::Sandbox => None,
            Target::Server { .. } => session.wait(async { Ok(issuer(session).await) })?,
        };
        Ok(Identity { admin, issuer, subject: chosen.subject })
    }

    /// As the journal keeps it.
    pub fn write(&self, facts: &mut Facts) {
        facts.insert("server".into(), self.admin.clone());
        facts.insert("subject".into(), self.subject.clone());
        if let Some(issuer) = &self.issuer {
            facts.insert("issuer".into(), issuer.clone());
        }
    }

    /// From the journal.
    pub fn read(facts: &Facts) -> Self {
        let text = |name: &str| facts.get(name).cloned();
        Identity {
            admin: text("server").unwrap_or_default(),
            issuer: text("issuer"),
            subject: text("subject").unwrap_or_default(),
        }
    }

    /// Refuses to go on elsewhere, or as somebody else.
    pub fn demand(&self, now: &Identity, run: &str) -> Result<()> {
        // By its address, and by what it calls itself where that can be asked.
        let calls_itself_so = match (&self.issuer, &now.issuer) {
            (Some(then), Some(now)) => then == now,
            _ => true,
        };
        let is_same = self.admin == now.admin && calls_itself_so;
        if !is_same {
            return Err(Error::usage(format!(
                "run {run} is of {}, and this is {}: nothing was sent",
                safe(&self.shown()),
                safe(&now.shown())
            ))
            .hint("name the run's own target"));
        }
        if self.subject != now.subject {
            return Err(Error::usage(format!(
                "run {run} was begun as {}, and this is {}: nothing was sent",
                safe(&self.subject),
                safe(&now.subject)
            ))
            .hint("sign in as the same, or use the same key"));
        }
        Ok(())
    }

    /// Whether it may be the same server, by another of its names or as somebody else.
    pub fn may_be(&self, other: &Identity) -> bool {
        let has_same_issuer = self.issuer.is_some() && self.issuer == other.issuer;
        let is_same_machine = match (Url::parse(&self.admin), Url::parse(&other.admin)) {
            (Ok(one), Ok(two)) => {
                one.port_or_known_default() == two.port_or_known_default()
                    && net::is_this_machine(&one)
                    && net::is_this_machine(&two)
            }
            _ => false,
        };
        self.admin == other.admin || has_same_issuer || is_same_machine
    }

    fn shown(&self) -> String {
        match &self.issuer {
            Some(issuer) => format!("{} (issuer {issuer})", self.admin),
            None => self.admin.clone(),
        }
    }
}

async fn issuer(session: &Session) -> Option<String> {
    session.door(Side::Public).await.ok()?;
    let answer = ask(session, &request::discovery(), "cannot ask what the server is").await.ok()?;
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    body["issuer"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_goes_on_at_its_own_server_as_the_same_only() {
        let identity = |admin: &str, issuer: Option<&str>, subject: &str| Identity {
            admin: admin.into(),
            issuer: issuer.map(str::to_owned),
            subject: subject.into(),
        };
        let begun = identity("http://a", Some("http://i"), "me");
        let why = |now: &Identity| begun.demand(now, "r").err().map(|error| error.message().to_owned());
        assert_eq!(why(&begun), None);
        // The public side of the one says nothing of the admin side of another.
        assert!(why(&identity("http://b", Some("http://i"), "me")).unwrap().contains("is of http://a"));
        assert_eq!(why(&identity("http://a", None, "me")), None);
        assert!(why(&identity("http://a", Some("http://other"), "me")).unwrap().contains("is of http://a"));
        assert!(why(&identity("http://b", None, "me")).unwrap().contains("is of http://a"));
        assert!(why(&identity("http://a", Some("http://i"), "you")).unwrap().contains("as me"));
    }
}
