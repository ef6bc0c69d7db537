//! Help and errors, held word by word.

use std::fmt::Write as _;

use crate::support::{Sandbox, anywhere, orysh};

#[test]
fn help_says_what_it_says() {
    for (name, line) in [
        ("help", "--help"),
        ("help_create", "help create oauth2-client"),
        ("help_list", "list oauth2-clients --help"),
        ("help_environment", "help environment"),
        ("help_formats", "help formats"),
        ("help_exit_codes", "help exit-codes"),
        ("help_shell", "help shell"),
    ] {
        insta::assert_snapshot!(name, anywhere().run(line).quiet().stdout);
    }
}

#[test]
fn help_is_the_same_by_every_way() {
    let direct = anywhere().run("create oauth2-client --help").quiet().stdout;
    assert_eq!(anywhere().run("help create oauth2-client").quiet().stdout, direct);
    assert_eq!(anywhere().run("help create client").quiet().stdout, direct);
    assert_eq!(anywhere().run("help").quiet().stdout, anywhere().run("--help").quiet().stdout);
}

#[test]
fn the_version_is_that_of_the_package() {
    assert!(anywhere().run("version").quiet().stdout.contains(env!("CARGO_PKG_VERSION")));
    assert!(anywhere().run("--version").quiet().stdout.contains(env!("CARGO_PKG_VERSION")));
    assert_eq!(anywhere().run("version --format json").json()["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn errors_say_what_they_say() {
    let server = Sandbox::of_many(1, "");
    let program = orysh(&server);
    program.file("c.yaml", "client_name: x\nredirect_uri: http://localhost/cb\n");
    let mut told = String::new();
    for line in [
        "create client --nmae x",
        "create oauth2-cleint",
        "craete client",
        "create jwks",
        "create",
        "get client",
        "get client ..",
        "get client absent",
        "get client absent --format json",
        "create client --id c0000",
        "create client --file c.yaml",
        "create client --redirect-uri /relative",
        "create client --format yml",
        "create client --endpoint localhost:4445",
        "list clients --page-size few",
        "eval 'clients::create(#{client_nmae: \"x\"})'",
        "eval 'clinets::get(\"x\")'",
        "version --sandbox",
    ] {
        let ran = program.run(line);
        assert_eq!(ran.stdout, "", "{ran}");
        write!(told, "$ orysh {line}\n{}[{}]\n\n", ran.stderr, ran.code.unwrap()).unwrap();
    }
    insta::assert_snapshot!("errors", told);
    insta::assert_snapshot!("no_server", anywhere().run("create oauth2-client --name x").stderr);
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let program = anywhere();
    let pages = program.run("man pages/man1 -q").ok().stdout;
    assert!(pages.lines().count() > 90 && pages.lines().any(|page| page == "orysh-create-oauth2-client.1"), "{pages}");
    let page = std::fs::read_to_string(program.home().join("pages/man1/orysh-create-oauth2-client.1")).unwrap();
    assert!(page.contains("\\-\\-client\\-uri") && page.contains(".SH EXAMPLES"), "{page}");
    for name in pages.lines() {
        let page = std::fs::read_to_string(program.home().join("pages/man1").join(name)).unwrap();
        assert!(
            page.starts_with(".ie") && page.contains("\n.SH NAME\n") && page.contains("\n.SH SYNOPSIS\n"),
            "{page}"
        );
    }
    program.file("taken", "");
    program.run("man taken").fails(2, "cannot make the folder taken");
}
