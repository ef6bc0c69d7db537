//! One test binary: a file a subject.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod apply;
mod auth;
mod bad_input;
mod batch;
mod batch_model;
mod better;
mod canary;
mod completion;
mod console;
mod contract;
mod create;
mod deliver;
mod drop_in;
mod examples;
mod faults;
mod formats;
mod generated;
mod help;
mod key_store;
mod kill;
mod layers;
mod list;
mod network;
mod ory_cli;
mod pgp;
mod plugins;
mod profile;
mod reference;
mod rotate;
mod script;
mod script_dry_run;
mod script_faults;
mod script_files;
mod script_hostile;
mod script_place;
mod script_secrets;
mod scripts;
mod shell;
mod support;
mod targets;
mod tokens;
mod update;
mod waits;
mod wrong_server;
