//! What a person is warned of once a process.

use url::Url;

use super::{Session, locked};
use crate::net::{self, Policy};
use crate::ui::Telling;

impl Session {
    /// Warns, once a process and host, where others on the way can read or change what is sent.
    pub fn warn_of_risks(&self, policy: &Policy, admin: &Url) {
        let host = admin.host_str().unwrap_or_default();
        if !self.is_news(admin.origin().ascii_serialization()) {
            return;
        }
        if policy.skip_tls_verify && admin.scheme() == "https" {
            self.ui.warn(&format!(
                "any certificate is believed for {host}: whoever is on the way can read and change everything"
            ));
        }
        if admin.scheme() == "http" && !net::is_loopback(admin) {
            self.ui.warn(&format!("{host} is spoken to by plain http: whoever is on the way can read secrets"));
        }
    }

    /// Warns that the address of a host could not be checked, once a process.
    pub fn warn_of_unchecked(&self, host: &str) {
        if self.is_news(format!("unchecked {host}")) {
            self.ui.warn(&net::fetch::unchecked(host));
        }
    }

    /// Whether nobody was warned of that yet. Whoever is told nothing is warned of nothing, and is later.
    fn is_news(&self, what: String) -> bool {
        self.ui.telling != Telling::Nothing && locked(&self.shared.warned).insert(what)
    }
}
