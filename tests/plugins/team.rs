//! Plugins that a repository lists: granted once by each person, bound to their content, pinned by a lock.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::{bundled, hash, install, plugin};
use crate::support::tools::tool;
use crate::support::{Orysh, Sandbox, Terminal, anywhere, orysh};

/// Commits all that is in a folder, which is a repository then.
fn commit(git: &Path, folder: &Path) {
    for args in
        [&["init"][..], &["add", "."], &["-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-m", "a"]]
    {
        let ran = Command::new(git).args(args).current_dir(folder).output().unwrap();
        assert!(ran.status.success(), "{args:?}");
    }
}

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
        second.file(file, &fs::read_to_string(first.home().join(file)).unwrap());
    }
    second.run("create oauth2-client --name BAD").fails(2, "is not trusted");
    second.run("plugin sync --locked").fails(2, "nobody can be asked");
    second.run(&format!("plugin sync --locked --trust {granted}")).ok();
    second.run("create oauth2-client --name BAD").fails(1, "plugin `policy`");
    let third = orysh(&server);
    for file in ["orysh.toml", "orysh.lock", "policy/plugin.toml", "policy/main.rhai"] {
        third.file(file, &fs::read_to_string(first.home().join(file)).unwrap());
    }
    let mut terminal = Terminal::with(third, &["create", "oauth2-client", "--name", "BAD"]);
    terminal.shows("before_create");
    terminal.shows("[y/N]");
    terminal.press("y\r");
    terminal.shows("plugin `policy`");
    assert_eq!(terminal.ended().code(), Some(1));
}

#[test]
fn a_lock_that_says_something_else_counts_for_nothing() {
    let server = Sandbox::start();
    let program = orysh(&server);
    repository(&program);
    program.run(&format!("plugin sync --trust {}", hash_of(&program))).ok();
    let path = program.home().join("orysh.lock");
    let lock = fs::read_to_string(&path).unwrap();
    let line = |key: &str| lock.lines().find(|line| line.starts_with(key)).unwrap().to_owned();
    let (enabled, grant, version, source) = (line("enabled"), line("grant"), line("version"), line("source"));
    // What cannot be read as what it is.
    for (from, to, told) in [
        (&enabled, "enabled = \"false\"", "`enabled` is true or false"),
        (&enabled, "enabled = 7", "`enabled` is true or false"),
        (&enabled, "", "`enabled` is missing"),
        (&grant, "grant = \"text\"", "`grant` is a list of texts"),
        (&grant, "grant = [1]", "`grant` is a list of texts"),
        (&grant, "", "`grant` is missing"),
        (&version, "version = 5", "`version` is a text"),
    ] {
        fs::write(&path, lock.replace(from, to)).unwrap();
        program.run("plugin sync --locked").fails(2, told).tells("line ").tells("take [policy] out");
        program.run("create oauth2-client --name ok").fails(2, told);
    }
    // What is another than its plugin.toml has.
    for (from, to, told) in [
        (&grant, "grant = [\"more\"]", "another grant"),
        (&version, "version = \"9\"", "another version"),
        (&enabled, "enabled = false", "is switched off"),
        (&grant, "grant = [\"config: read the secrets that are configured as: token\"]", "another grant"),
        (&source, "source = \"https://a.invalid/x.git\"", "another source"),
    ] {
        fs::write(&path, lock.replace(from, to)).unwrap();
        assert_eq!(program.run("plugin sync --locked").code, Some(1));
        program.run("plugin verify").fails(3, told);
        program.run("create oauth2-client --name ok").fails(2, told);
    }
    program.run("plugin sync").ok();
    program.run("create oauth2-client --name BAD").fails(1, "plugin `policy`");
    // The user's own as well.
    program.run("plugin new hello").ok();
    install(&program, "./hello");
    let own = program.home().join("config/orysh.lock");
    let text = fs::read_to_string(&own).unwrap();
    fs::write(&own, text.replace("grant = [", "grant = [\"more\", ")).unwrap();
    program.run("hello").fails(2, "hello");
    let listed = program.run("plugin list");
    assert!(listed.stdout.contains("broken") && listed.stderr.contains("another grant"), "{listed}");
    program.run("create oauth2-client --name ok").fails(2, "another grant");
    program.run("plugin update hello").fails(2, "nobody can be asked");
    program.run(&format!("plugin update hello --trust {}", hash(&program, "./hello"))).ok().tells("as it is again");
    program.run("hello").ok();
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
    fs::create_dir(&repository).unwrap();
    let git = |args: &[&str]| {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"];
        let mut command = Command::new(&git);
        command.args(identity).args(args).current_dir(&repository);
        assert!(command.output().unwrap().status.success(), "{args:?}");
    };
    git(&["init"]);
    for file in ["plugin.toml", "main.rhai", "README.md"] {
        fs::copy(Path::new(&source).join(file), repository.join(file)).unwrap();
    }
    fs::create_dir(repository.join(".githooks")).unwrap();
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
    let before = fs::read(&index).unwrap();
    let mut command = program.command(crate::support::PROGRAM);
    command.args(["plugin", "show", &url]).env("GIT_INDEX_FILE", &index).env("GIT_DIR", repository.join(".git"));
    program.start(&mut command).end().ok();
    assert_eq!(fs::read(&index).unwrap(), before);
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
    fs::write(repository.join("README.md"), "newer\n").unwrap();
    git(&["commit", "-am", "two"]);
    let newer = hash(&program, &repository.display().to_string());
    let pinned = |hash: &str| fs::read_to_string(program.home().join("team/orysh.lock")).unwrap().contains(hash);
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
    commit(&git, &repository);
    let listed = format!("[plugins.policy]\ngit = \"file://{}\"\n", repository.display());
    first.file("team/orysh.toml", &listed);
    let granted = hash(&first, "policy");
    first.sh(&format!("cd team && orysh plugin sync --trust {granted}")).ok();
    let lock = fs::read_to_string(first.home().join("team/orysh.lock")).unwrap();
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
    let questions = ["Fetch what is not here yet", "Grant that to plugin"];
    let answered = |args: &[&str], answers: &[&str]| {
        let terminal = Terminal::with(clone(), args);
        for (question, answer) in questions.iter().zip(answers) {
            terminal.shows(question);
            terminal.press(answer);
        }
        terminal
    };
    for (answers, told, code) in [
        (&["n\r"][..], "orysh plugin sync", 2),
        (&["y\r", "n\r"], "nothing is written", 2),
        (&["y\r", "y\r"], "plugin `policy`", 1),
    ] {
        let mut terminal = answered(&create, answers);
        terminal.shows(told);
        assert_eq!(terminal.ended().code(), Some(code), "{answers:?}");
    }
    // In the shell its commands are there at once.
    let terminal = answered(&["--sandbox"], &["y\r", "y\r"]);
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
    let lock = fs::read_to_string(program.home().join("orysh.lock")).unwrap();
    program.file("orysh.lock", &lock.replace("version = \"1.0.0\"", "version = \"9.0.0\""));
    program.run("plugin verify").fails(3, "tells of another version");
    program.file("orysh.lock", &lock.replace("grant = []", "grant = [\"secrets: see secrets of clients\"]"));
    program.run("plugin verify").fails(3, "tells of another grant");
}

#[test]
fn no_name_of_a_repository_passes_for_a_line_of_the_question() {
    let server = Sandbox::start();
    let program = orysh(&server);
    plugin(&program, "q", "hooks = [\"before_create\"]\n", "fn before_create(c) { }");
    fs::create_dir(program.home().join("plugins")).unwrap();
    fs::rename(program.home().join("q"), program.home().join("plugins/q\n  nothing")).unwrap();
    program.file("orysh.toml", "[plugins.q]\npath = \"plugins/q\\n  nothing\"\n");
    let ran = program.run("plugin sync").fails(2, "nobody can be asked");
    assert!(ran.stderr.contains("plugins/q\\n  nothing") && !ran.stderr.contains("\n  nothing"), "{ran}");
    let mut terminal = Terminal::with(program, &["create", "oauth2-client"]);
    terminal.shows("plugins/q\\n  nothing");
    terminal.shows("[y/N]");
    terminal.press("n\r");
    // Looking goes on; what writes ends where it would.
    terminal.shows("is not trusted");
    terminal.press("\u{3}");
    assert_ne!(terminal.ended().code(), Some(0));
}

#[test]
fn nothing_that_a_repository_brings_holds_a_command_up() {
    let server = Sandbox::start();
    let program = orysh(&server);
    repository(&program);
    let began = Instant::now();
    for make in [
        "ln -s /dev/zero orysh.lock",
        "mkfifo orysh.lock",
        "ln -s policy/plugin.toml orysh.lock",
        "head -c 2000000 /dev/zero > orysh.lock",
    ] {
        program.sh(make).ok();
        program.run("version").ok();
        program.run("create oauth2-client").fails(2, "orysh.lock");
        program.run("list oauth2-clients").ok().tells("orysh.lock");
        fs::remove_file(program.home().join("orysh.lock")).unwrap();
    }
    fs::remove_file(program.home().join("orysh.toml")).unwrap();
    for (make, told) in [
        ("head -c 2000000 /dev/zero > orysh.toml", "larger than 1 MiB"),
        ("ln -s policy/plugin.toml orysh.toml", "orysh.toml"),
    ] {
        program.sh(make).ok();
        program.run("version").ok();
        program.run("create oauth2-client").fails(2, told);
        fs::remove_file(program.home().join("orysh.toml")).unwrap();
    }
    assert!(began.elapsed() < Duration::from_secs(60));
    // The user's own is theirs to link.
    install(&program, "./policy");
    program.sh("mv config/orysh.lock kept.lock && ln -s ../kept.lock config/orysh.lock").ok();
    program.run("create oauth2-client --name BAD").fails(1, "plugin `policy`");
}

#[test]
fn what_is_granted_is_imported_at_once_wherever_scripts_are() {
    let program = anywhere();
    plugin(&program, "pol", "exports = [\"twice\"]\n", "fn twice(n) { n * 2 }");
    program.file("orysh.toml", "[plugins.pol]\npath = \"pol\"\n");
    program.file("lib/more.rhai", "fn thrice(n) { n * 3 }");
    program.file("t.rhai", "import \"plugin:pol\" as pol;\nfn test_it() { assert(pol::twice(4) == 8, \"twice\"); }");
    let mut terminal =
        Terminal::with(program.same_home(), &["--sandbox", "eval", "import \"plugin:pol\" as pol; pol::twice(21)"]);
    terminal.shows("Grant that to plugin `pol`?");
    terminal.press("y\r");
    terminal.shows("42");
    assert_eq!(terminal.ended().code(), Some(0));
    // In the shell, and there in every line that comes after it.
    let lines =
        "import \"plugin:pol\" as pol;\npol::twice(4)\nimport \"lib/more\" as more;\nmore::thrice(pol::twice(1))\n";
    let ran = program.same_home().input(lines).run("--sandbox").ok();
    assert_eq!(ran.stdout, "8\n6\n", "{ran}");
    let ran = program.same_home().input("import \"../outside\" as o;\n").run("--sandbox");
    assert!(ran.code != Some(0) && ran.stderr.contains("import"), "{ran}");
    program.run("script test t.rhai").ok();
    let terminal = Terminal::with(program, &["--sandbox"]);
    terminal.shows("sandbox");
    terminal.press("import \"plugin:pol\" as pol; `came=${pol::twice(7)}`\r");
    terminal.shows("came=14");
}

#[test]
fn credentials_for_a_server_are_no_argument_of_git() {
    let Some(git) = tool("git") else { return };
    let program = anywhere();
    plugin(&program, "policy", "hooks = [\"before_create\"]\n", "fn before_create(c) { }");
    commit(&git, &program.home().join("policy"));
    program.file(".gitconfig", "[http \"https://h.example/\"]\n\textraHeader = AUTHORIZATION: canary\n");
    let wrapper = format!(
        "#!/bin/sh\necho \"$*\" >> \"$HOME/argv\"\ncase \"$*\" in *fetch*) env >> \"$HOME/env\";; esac\nexec {} \"$@\"\n",
        git.display()
    );
    program.executable("bin/git", &wrapper);
    let path = format!("{}:/usr/bin:/bin", program.home().join("bin").display());
    let program = program.with("PATH", &path);
    // One whose address has an @ in it is one address, where a revision has a key of its own.
    let url = format!("file://{}", program.home().join("policy").display());
    program.run(&format!("plugin show {url}")).ok();
    let (argv, env) = ["argv", "env"].map(|file| fs::read_to_string(program.home().join(file)).unwrap()).into();
    assert!(argv.contains("fetch") && !argv.contains("canary"), "{argv}");
    assert!(env.contains("canary") && env.contains("core.hooksPath"), "{env}");
}

#[test]
fn a_revision_of_a_listed_repository_has_a_key_of_its_own() {
    let Some(git) = tool("git") else { return };
    let program = anywhere();
    plugin(&program, "policy", "hooks = [\"before_create\"]\n", "fn before_create(c) { }");
    fs::create_dir(program.home().join("at@home")).unwrap();
    fs::rename(program.home().join("policy"), program.home().join("at@home/policy@x")).unwrap();
    let folder = program.home().join("at@home/policy@x");
    commit(&git, &folder);
    let granted = hash(&program, "./at@home/policy@x");
    program.file("orysh.toml", &format!("[plugins.policy]\ngit = \"file://{}\"\n", folder.display()));
    program.run(&format!("plugin sync --trust {granted}")).ok();
    program.run("plugin verify").ok();
    program.run("--sandbox create client").ok();
}

#[test]
fn what_nobody_has_granted_keeps_nobody_from_looking_and_is_not_run() {
    let server = Sandbox::start();
    let program = orysh(&server);
    let manifest = "hooks = [\"before_create\", \"lint\"]\n[commands.rules]\nabout = \"a\"\n";
    let code = "fn before_create(c) { }\nfn lint(c) { [] }\nfn rules(args) { 7 }\nfn test_it() { assert(rules(#{}) == 7, \"seven\"); }";
    plugin(&program, "policy", manifest, code);
    program.file("orysh.toml", "[plugins.pol]\npath = \"policy\"\n");
    let text = fs::read_to_string(program.home().join("policy/plugin.toml")).unwrap();
    program.file("policy/plugin.toml", &text.replace("name = \"policy\"", "name = \"pol\""));
    program.file("c.json", r#"{"client_id": "n"}"#);
    program.run("list oauth2-clients").ok().tells("is not trusted");
    program.run("context").ok();
    for line in ["rules", "lint client --file c.json", "create client", "rotate secret n"] {
        program.run(line).fails(2, "is not trusted");
    }
    program.run("plugin remove pol").fails(2, "orysh plugin disable pol");
    program.run("plugin test pol").ok();
    let granted = hash(&program, "pol");
    program.run(&format!("plugin sync --trust {granted}")).ok();
    assert_eq!(program.run("rules").ok().stdout, "7\n");
    program.run("plugin disable pol").ok();
    program.run("create client").ok();
}

#[test]
fn what_is_newer_of_a_repository_is_shown_as_a_difference() {
    let Some(git) = tool("git") else { return };
    let program = anywhere();
    let manifest = "hooks = [\"before_create\"]\n[commands.rules]\nabout = \"a\"\n";
    plugin(&program, "policy", manifest, "fn before_create(c) { }\nfn rules(args) { 7 }");
    let folder = program.home().join("policy");
    commit(&git, &folder);
    program.file("orysh.toml", &format!("[plugins.policy]\ngit = \"file://{}\"\n", folder.display()));
    // Its own command asks as any does, and off a terminal says what to do.
    program.run("--sandbox rules").fails(2, "unknown command `rules`").tells("orysh plugin sync");
    let mut terminal = Terminal::with(program.same_home(), &["--sandbox", "rules"]);
    terminal.shows("Fetch what is not here yet");
    terminal.press("y\r");
    terminal.shows("Grant that to plugin `policy`?");
    terminal.press("y\r");
    terminal.shows("7");
    assert_eq!(terminal.ended().code(), Some(0));
    // What has changed since is shown, and what is more than before.
    plugin(&program, "policy", manifest, "fn before_create(c) { c.owner = \"me\" }\nfn rules(args) { 7 }");
    commit(&git, &folder);
    program
        .run("plugin sync --update")
        .fails(2, "+ fn before_create(c) { c.owner = ")
        .tells("nothing more than before");
    plugin(
        &program,
        "policy",
        &format!("{manifest}[capabilities]\nenvironment = [\"HOME\"]\n"),
        "fn before_create(c) { }\nfn rules(args) { 7 }",
    );
    commit(&git, &folder);
    program
        .run("plugin sync --update")
        .fails(2, "it asks for more than before: environment")
        .tells("changed plugin.toml");
    // A lock that is another says in what.
    let lock = fs::read_to_string(program.home().join("orysh.lock")).unwrap();
    program.file("orysh.lock", &lock.replace("version = \"1.0.0\"", "version = \"1.0.1\""));
    program.run("plugin sync --locked").fails(1, "orysh.lock: its version");
    program.file("orysh.lock", &lock);
    // Where nothing can be fetched, looking goes on.
    fs::rename(&folder, program.home().join("gone")).unwrap();
    let other = anywhere();
    other.file("orysh.toml", &fs::read_to_string(program.home().join("orysh.toml")).unwrap());
    let terminal = Terminal::with(other, &["--sandbox"]);
    terminal.shows("Fetch what is not here yet");
    terminal.press("y\r");
    terminal.until("a prompt", |screen| screen.trim_end().ends_with('>'));
    terminal.types("6 * 7", "42");
    terminal.types("create client --name x", "has not been fetched");
    assert_eq!(terminal.leaves().code(), Some(0));
}

#[test]
fn two_plugins_with_one_command_say_where() {
    let program = anywhere();
    for name in ["one", "two"] {
        plugin(&program, name, "[commands.same]\nabout = \"a\"\n", "fn same(args) { 7 }");
    }
    program.file("orysh.toml", "[plugins.one]\npath = \"one\"\n[plugins.two]\npath = \"two\"\n");
    program.run("--sandbox create client").fails(2, "plugin.toml, line 5").tells("its command `same` is one of");
    program.run("esc context").fails(2, "unknown command `esc`");
    assert!(program.run("--color always esc").stderr.starts_with('\u{1b}'));
    assert!(program.run("--color never esc").stderr.starts_with("warning"));
}
