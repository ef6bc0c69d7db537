//! The commands: a file each, folders by noun.

pub mod auth;
pub mod batch;
pub mod client;
pub mod completion;
pub mod context;
pub mod help;
mod given;
mod in_turn;
pub mod inspect;
pub mod man;
pub mod network;
pub mod plugin;
pub mod profile;
pub mod sandbox;
pub mod script;
pub mod token;
pub mod version;

use crate::grammar::Registry;

/// Every built-in command, in the order of the help.
pub fn registry() -> Registry {
    Registry::new(vec![
        client::create::command(),
        client::get::command(),
        client::list::command(),
        client::apply::command(),
        client::import::command(),
        client::export::command(),
        client::diff::command(),
        client::lint::command(),
        client::update::command(),
        client::lifespans::command(),
        client::patch::command(),
        client::replace::command(),
        client::deliver::command(),
        client::rotate::command(),
        client::delete::command(),
        client::test::command(),
        batch::create::command(),
        batch::change::update(),
        batch::change::delete(),
        batch::change::rotate(),
        batch::resume::resume(),
        batch::resume::retry(),
        batch::resume::deliver(),
        batch::look::list(),
        batch::look::status(),
        batch::look::show(),
        batch::look::results(),
        batch::undo::command(),
        batch::forget::command(),
        token::client_credentials::command(),
        token::introspect::command(),
        token::revoke::command(),
        token::delete::command(),
        token::consent::command(),
        inspect::key::command(),
        network::project::list(),
        network::project::get(),
        network::project::select(),
        network::workspace::list(),
        network::workspace::get(),
        network::workspace::select(),
        network::key::create(),
        network::key::delete(),
        auth::login::command(),
        auth::logout::command(),
        auth::status::command(),
        auth::key::set(),
        auth::key::remove(),
        context::command(),
        profile::add::command(),
        profile::list::command(),
        profile::show::command(),
        profile::switch::command(),
        profile::switch::select(),
        profile::remove::command(),
        profile::trust::command(),
        script::api::command(),
        script::definitions::command(),
        script::new::command(),
        script::check::command(),
        script::test::command(),
        script::run::command(),
        script::eval::command(),
        plugin::install::command(),
        plugin::look::list(),
        plugin::look::show(),
        plugin::switch::enable(),
        plugin::switch::disable(),
        plugin::update::command(),
        plugin::switch::remove(),
        plugin::look::verify(),
        plugin::sync::command(),
        plugin::new::command(),
        plugin::test::command(),
        sandbox::serve::command(),
        completion::command(),
        completion::complete(),
        man::command(),
        help::command(),
        version::command(),
    ])
}
