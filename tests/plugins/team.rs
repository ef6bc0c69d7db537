//! Plugins that a repository lists: granted once by each person, bound to their content, pinned by a lock.

use std::process::Command;

use super::{bundled, hash, install, plugin};
use crate::support::tools::tool;
use crate::support::{Orysh, Sandbox, Terminal, anywhere, orysh};

/// A repository whose policy lies in it.
fn repository(program: &Orysh) {
    plugin(
        program,
        "policy",
        "hooks = [\"before_create\"]\n",
        "fn before_create(c) { if c.client_name == \"BAD\" { throw \"no\"; } }",
    );
    program.file("orysh.toml", "[plugins.policy]\npath = \"policy\"\n");
}

#[test]
fn each_person_is_asked_once_and_a_change_asks_again() {
    let server = Sandbox::start();
    let program = orysh(&server);
    repository(&program);
    let ran = program.run("create oauth2-client --name BAD").fails(2, "is not trusted");
    let granted = hash(&program, "policy");
    assert!(ran.stderr.contains(&granted), "{ran}");
    program.run("plugin sync").fails(2, "nobody can be asked");
    program.run(&format!("plugin sync --trust {granted}")).ok();
    program.run("create oauth2-client --name BAD").fails(1, "plugin `policy`");
    program.run("create oauth2-client --name good").ok();
    // Another content is another plugin, to this user and to the lock.
    plugin(&program, "policy", "hooks = [\"before_create\"]\n", "fn before_create(c) { }");
    program.run("create oauth2-client --name BAD").fails(2, "its files are not those of the lock");
    program.run("list oauth2-clients").ok().tells("its files are not those of the lock");
    program.run("plugin sync --locked").fails(1, "differs from the lock");
    program.run("plugin verify").fails(3, "policy");
    let other = hash_of(&program);
    program.run(&format!("plugin sync --trust {other}")).ok();
    program.run("plugin sync --locked").ok();
    program.run("create oauth2-client --name BAD").ok();
}

fn hash_of(program: &Orysh) -> String {
    hash(program, "./policy")
}

#[test]
fn a_second_person_is_asked_on_a_terminal_and_ci_goes_by_the_lock() {
    let server = Sandbox::start();
    let first = orysh(&server);
    repository(&first);
    let granted = hash_of(&first);
    first.run(&format!("plugin sync --trust {granted}")).ok();
    // The same repository, with another home.
    let second = orysh(&server);
    for file in ["orysh.toml", "orysh.lock", "policy/plugin.toml", "policy/main.rhai"] {
        second.file(file, &std::fs::read_to_string(first.home().join(file)).unwrap());
    }
    second.run("create oauth2-client --name BAD").fails(2, "is not trusted");
    second.run("plugin sync --locked").fails(2, "nobody can be asked");
    second.run(&format!("plugin sync --locked --trust {granted}")).ok();
    second.run("create oauth2-client --name BAD").fails(1, "plugin `policy`");
    let third = orysh(&server);
    for file in ["orysh.toml", "orysh.lock", "policy/plugin.toml", "policy/main.rhai"] {
        third.file(file, &std::fs::read_to_string(first.home().join(file)).unwrap());
    }
    let mut terminal = Terminal::with(third, &["create", "oauth2-client", "--name", "BAD"]);
    terminal.shows("before_create");
    terminal.press("y\r");
    terminal.shows("plugin `policy`");
    assert_eq!(terminal.ended().code(), Some(1));
}

#[test]
fn what_is_wrong_with_a_repository_s_plugins_is_told_and_the_rest_works() {
    let server = Sandbox::start();
    let program = orysh(&server);
    for (text, told) in [
        ("[plugins.policy]\npath = \"/etc\"\n", "policy"),
        ("[plugins.policy]\npath = \"../x\"\n", "policy"),
        ("[plugins.policy]\npth = \"x\"\n", "unknown key `pth`"),
        ("[plugins.policy]\ngit = \"http://a.example/x\"\n", "does not come by http"),
        ("[plugins]\npolicy = 1\n", "wants a table"),
        ("[plugins.policy]\n", "wants `path` or `git`"),
        (
            "[plugins.policy]\ngit = \"https://a.example/x\"\nrev = 1.0\n",
            "line 3, column 7: plugin `policy`: `rev` wants a text",
        ),
        ("[plugins.policy]\npath = \"policy\"\nrev = \"v1\"\n", "`rev` is of `git`"),
        ("[plugins.policy]\npath = \"policy\"\ngit = 1\n", "line 3, column 7: plugin `policy`: `git` wants a text"),
        ("[plugins.policy]\npath = 7\n", "`path` wants a text"),
        (
            "[plugins.policy]\npath = \"policy\"\nconfig = \"a = 1\"\n",
            "line 3, column 10: plugin `policy`: `config` wants a table",
        ),
    ] {
        program.file("orysh.toml", text);
        program.run("list oauth2-clients").ok().tells(told);
    }
    repository(&program);
    program.file("orysh.toml", "[plugins.policy]\npath = \"policy\"\nconfig = { nope = 1 }\n");
    program.run("list oauth2-clients").ok().tells("line 3, column 19: plugin `policy`: config `nope` is unknown");
    program.file("orysh.toml", "[plugins.other]\npath = \"policy\"\n");
    program.run("list oauth2-clients").ok().tells("it calls itself `policy`");
}

#[test]
fn a_repository_is_fetched_by_git_and_pinned_by_its_commit() {
    let Some(git) = tool("git") else { return };
    let program = anywhere();
    let source = bundled("naming");
    let repository = program.home().join("repo");
    std::fs::create_dir(&repository).unwrap();
    let git = |args: &[&str]| {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"];
        let mut command = Command::new(&git);
        command.args(identity).args(args).current_dir(&repository);
        assert!(command.output().unwrap().status.success(), "{args:?}");
    };
    git(&["init"]);
    for file in ["plugin.toml", "main.rhai", "README.md"] {
        std::fs::copy(std::path::Path::new(&source).join(file), repository.join(file)).unwrap();
    }
    std::fs::create_dir(repository.join(".githooks")).unwrap();
    git(&["add", "."]);
    git(&["commit", "-m", "one"]);
    git(&["tag", "v1"]);
    let url = format!("file://{}@v1", repository.display());
    install(&program, &url);
    let shown = program.run("plugin show naming --format json").ok().json();
    assert_eq!(shown["commit"].as_str().unwrap().len(), 40);
    assert_eq!(shown["hash"].as_str().unwrap(), hash(&program, &source));
    // Neither settings of the user's own nor a hook of git that runs it makes another content of it.
    program.file(".gitconfig", "[core]\n\tautocrlf = true\n\teol = crlf\n");
    assert_eq!(hash(&program, &format!("{url} ")).trim(), hash(&program, &source));
    let index = repository.join(".git/index");
    let before = std::fs::read(&index).unwrap();
    let mut command = program.command(crate::support::PROGRAM);
    command.args(["plugin", "show", &url]).env("GIT_INDEX_FILE", &index).env("GIT_DIR", repository.join(".git"));
    program.start(&mut command).end().ok();
    assert_eq!(std::fs::read(&index).unwrap(), before);
    // What a repository has by git stays, whatever else comes and goes.
    program.run("plugin remove naming").ok();
    program.file(
        "team/orysh.toml",
        &format!("[plugins.naming]\ngit = \"file://{}\"\nrev = \"v1\"\n", repository.display()),
    );
    let trust = hash(&program, &source);
    let inside = |line: &str| program.sh(&format!("cd team && orysh {line}"));
    inside(&format!("plugin sync --trust {trust}")).ok();
    plugin(&program, "other", "", "");
    install(&program, "./other");
    program.run("plugin remove other").ok();
    inside("--sandbox create client --name BAD").fails(1, "plugin `naming`");
    inside("plugin verify").ok();
    // What is pinned stays until somebody takes what a branch is by now.
    let of = |rev: &str| format!("[plugins.naming]\ngit = \"file://{}\"\nrev = \"{rev}\"\n", repository.display());
    program.file("team/orysh.toml", &of("main"));
    inside(&format!("plugin sync --trust {trust}")).ok();
    std::fs::write(repository.join("README.md"), "newer\n").unwrap();
    git(&["commit", "-am", "two"]);
    let newer = hash(&program, &repository.display().to_string());
    let pinned = |hash: &str| std::fs::read_to_string(program.home().join("team/orysh.lock")).unwrap().contains(hash);
    inside("plugin sync").ok();
    assert!(pinned(&trust) && !pinned(&newer));
    inside("plugin update naming").fails(2, "is not installed").tells("plugin sync --update");
    inside("plugin sync --update").fails(2, "nobody can be asked");
    inside(&format!("plugin sync --update --trust {newer}")).ok();
    assert!(pinned(&newer) && !pinned(&trust));
    program.run(&format!("plugin show file://{}@none", repository.display())).fails(1, "git:");
    program.run("plugin show https://h.example/a@--upload-pack=x").fails(2, "is no revision");
    program.run("plugin show ext://sh").fails(2, "does not come by ext");
}

#[test]
fn who_clones_a_repository_is_asked_before_its_plugins_are_fetched_and_granted() {
    let Some(git) = tool("git") else { return };
    let first = anywhere();
    let repository = first.home().join("policy");
    plugin(
        &first,
        "policy",
        "hooks = [\"before_create\"]\n[commands.rules]\nabout = \"a\"\n",
        "fn before_create(c) { if c.client_name == \"BAD\" { throw \"no\"; } }\nfn rules(args) { 7 }",
    );
    for args in
        [&["init"][..], &["add", "."], &["-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-m", "a"]]
    {
        assert!(Command::new(&git).args(args).current_dir(&repository).output().unwrap().status.success(), "{args:?}");
    }
    let listed = format!("[plugins.policy]\ngit = \"file://{}\"\n", repository.display());
    first.file("team/orysh.toml", &listed);
    let granted = hash(&first, "policy");
    first.sh(&format!("cd team && orysh plugin sync --trust {granted}")).ok();
    let lock = std::fs::read_to_string(first.home().join("team/orysh.lock")).unwrap();
    let clone = || {
        let program = anywhere();
        program.file("orysh.toml", &listed);
        program.file("orysh.lock", &lock);
        program
    };
    let create = ["--sandbox", "create", "oauth2-client", "--name", "BAD"];
    // Nobody can be asked: nothing is written, and nothing fetched.
    clone().run(&create.join(" ")).fails(2, "has not been fetched from file://").tells("orysh plugin sync");
    // Whoever does not want it goes on as if nobody could be asked.
    let mut terminal = Terminal::with(clone(), &create);
    terminal.shows("Fetch what is not here yet");
    terminal.press("n\r");
    terminal.shows("orysh plugin sync");
    assert_eq!(terminal.ended().code(), Some(2));
    let mut terminal = Terminal::with(clone(), &create);
    terminal.shows("Fetch what is not here yet");
    terminal.press("y\r");
    terminal.shows("before_create");
    terminal.press("n\r");
    terminal.shows("nothing was granted");
    assert_eq!(terminal.ended().code(), Some(2));
    let mut terminal = Terminal::with(clone(), &create);
    terminal.shows("Fetch what is not here yet");
    terminal.press("y\r");
    terminal.shows("before_create");
    terminal.press("y\r");
    terminal.shows("plugin `policy`");
    assert_eq!(terminal.ended().code(), Some(1));
    // In the shell its commands are there at once.
    let terminal = Terminal::with(clone(), &["--sandbox"]);
    terminal.shows("Fetch what is not here yet");
    terminal.press("y\r");
    terminal.shows("before_create");
    terminal.press("y\r");
    terminal.shows("sandbox");
    terminal.press("rules --format json | sed s/^/came=/\r");
    terminal.shows("came=7");
}

#[test]
fn how_a_repository_configures_a_plugin_is_trusted_with_it() {
    let program = anywhere().with("AWS_KEY", "canary");
    plugin(
        &program,
        "tp",
        "[config.tok]\ntype = \"secret\"\nhelp = \"h\"\n[config.n]\ntype = \"number\"\ndefault = 1\nhelp = \"h\"\n[commands.tp]\nabout = \"a\"\n",
        "fn tp(args) { let t = plugin::config(\"tok\"); if t != () { print(t.reveal()); } plugin::config(\"n\") }",
    );
    program.file("orysh.toml", "[plugins.tp]\npath = \"tp\"\n");
    let granted = hash(&program, "tp");
    program.run(&format!("plugin sync --trust {granted}")).ok();
    assert_eq!(program.run("--sandbox tp").ok().stdout, "1\n");
    program.file("orysh.toml", "[plugins.tp]\npath = \"tp\"\nconfig = { tok = \"env:AWS_KEY\", n = 2 }\n");
    program.run("--sandbox tp").fails(2, "is not trusted");
    program.run("plugin sync --locked").fails(1, "differs from the lock");
    program.run("plugin verify").fails(3, "tp");
    let other = hash(&program, "tp");
    assert!(other != granted);
    program.run(&format!("plugin sync --trust {other}")).ok();
    // What its manifest does not ask for it has not all the same.
    let ran = program.run("--sandbox tp").fails(1, "capability `environment`");
    assert!(!format!("{ran}").contains("canary"), "{ran}");
}

#[test]
fn a_person_switches_a_plugin_of_the_repository_off_for_themselves() {
    let server = Sandbox::start();
    let program = orysh(&server);
    repository(&program);
    program.run(&format!("plugin sync --trust {}", hash_of(&program))).ok();
    program.run("create oauth2-client --name BAD").fails(1, "plugin `policy`");
    program.run("plugin disable policy").ok().tells("is off");
    assert!(program.run("plugin list --format json").ok().stdout.contains("\"state\":\"off\""));
    program.run("create oauth2-client --name BAD").ok();
    program.run("plugin sync --locked").ok();
    program.run("plugin enable policy").ok();
    program.run("create oauth2-client --name BAD").fails(1, "plugin `policy`");
    // What the lock tells of it is compared as well.
    let lock = std::fs::read_to_string(program.home().join("orysh.lock")).unwrap();
    program.file("orysh.lock", &lock.replace("version = \"1.0.0\"", "version = \"9.0.0\""));
    program.run("plugin verify").fails(3, "tells of another version");
    program.file("orysh.lock", &lock.replace("grant = []", "grant = [\"secrets: see secrets of clients\"]"));
    program.run("plugin verify").fails(3, "tells of another grant");
}
