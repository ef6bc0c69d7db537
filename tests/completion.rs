//! Completion, by the shells themselves.

use serde_json::json;

use crate::support::{Orysh, PROGRAM, Sandbox, Terminal, anywhere, orysh, tools};

/// A home in which `orysh` is found, and a script that declares something.
fn ready() -> Orysh {
    let program = anywhere();
    found(&program);
    program.file("jobs/s.rhai", "//! @arg kind: web|job\n//! @arg --count: number = 1 How many\n");
    program
}

fn found(program: &Orysh) {
    std::fs::create_dir(program.home().join("bin")).unwrap();
    std::os::unix::fs::symlink(PROGRAM, program.home().join("bin/orysh")).unwrap();
}

fn shell(program: &Orysh, shell: &str, script: &str) -> String {
    program.file("t", script);
    program.sh(&format!("PATH={}/bin:/usr/local/bin:/usr/bin:/bin {shell} t", program.home().display())).stdout
}

/// bash at a prompt, where orysh is completed.
fn bash(program: Orysh) -> Terminal {
    let home = program.home().display().to_string();
    let shell = Terminal::running("/bin/bash", program, &["--norc", "--noprofile", "-i"], (40, 120), "xterm");
    shell.press(&format!("PS1='> ' PATH={home}/bin:/usr/local/bin:/usr/bin:/bin\r"));
    shell.types("source <(orysh completion bash); echo re''ady", "ready");
    shell
}

fn tried(shell: &Terminal, cases: &[(&str, &str)]) {
    for (typed, shown) in cases {
        shell.press(&format!("{typed}\t"));
        shell.until(shown, |screen| {
            screen.trim_end().lines().last().is_some_and(|line| line.trim_end() == format!("> {shown}"))
        });
        shell.press("\u{15}");
        shell.until("an empty prompt", |screen| screen.trim_end().ends_with("\n>"));
    }
}

#[test]
fn bash_completes() {
    let program = ready();
    // A folder is no command.
    std::fs::create_dir(program.home().join("batch")).unwrap();
    program.file("my jobs/x", "");
    let shell = bash(program);
    tried(
        &shell,
        &[
            ("orysh create oauth2-cl", "orysh create oauth2-client"),
            ("orysh bat", "orysh batch"),
            ("orysh run jobs/s.rhai --c", "orysh run jobs/s.rhai --count"),
            ("orysh run jobs/s.rhai w", "orysh run jobs/s.rhai web"),
            ("orysh run jo", "orysh run jobs/"),
            ("orysh run my", "orysh run my\\ jobs/"),
            ("orysh create oauth2-client --file=jo", "orysh create oauth2-client --file=jobs/"),
            ("orysh create oauth2-client --subject-type pub", "orysh create oauth2-client --subject-type public"),
            (
                "orysh create oauth2-client --grant-type=cl",
                "orysh create oauth2-client --grant-type=client_credentials",
            ),
        ],
    );
    // Nobody but a person knows it: no file is offered.
    shell.press("orysh create oauth2-client --owner jo\t-ann");
    shell.shows("--owner jo-ann");
}

#[test]
fn bash_quotes_what_it_completes() {
    let ids = ["app:one", "[a-f]*", "zz top", "zy;version", "it's"];
    let clients: Vec<_> = ids.iter().map(|id| json!({"client_id": id})).collect();
    let server = Sandbox::holding(&clients, "");
    let program = orysh(&server);
    found(&program);
    let shell = bash(program);
    tried(
        &shell,
        &[
            ("orysh get oauth2-client app", "orysh get oauth2-client app:one"),
            ("orysh get oauth2-client app:o", "orysh get oauth2-client app:one"),
            ("orysh get oauth2-client [", "orysh get oauth2-client \\[a-f\\]\\*"),
            ("orysh get oauth2-client zz", "orysh get oauth2-client zz\\ top"),
            ("orysh get oauth2-client 'zz", "orysh get oauth2-client 'zz top'"),
            ("orysh get oauth2-client \"zy", "orysh get oauth2-client \"zy;version\""),
            ("orysh get oauth2-client it", "orysh get oauth2-client it\\'s"),
        ],
    );
}

#[test]
fn what_a_slow_server_lists_is_there_for_the_next_key() {
    let server = Sandbox::holding(&[json!({"client_id": "app-1"})], "--latency 1500ms");
    let program = orysh(&server);
    let complete = || program.run("complete -q -- get oauth2-client ap");
    assert_eq!(complete().code, Some(1));
    assert!((0..40).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        complete().stdout == "app-1\n"
    }));
}

#[test]
fn only_what_is_accepted_is_offered() {
    let program = anywhere();
    let offered = |line: &str| program.run(&format!("complete -q -- {line}")).stdout;
    for (line, run) in [
        ("list oauth2-clients --sort", "list oauth2-clients --sandbox --sort"),
        ("list oauth2-clients --columns", "list oauth2-clients --sandbox --columns"),
        ("update oauth2-client a --subject-type", "create oauth2-client --sandbox --dry-run --subject-type"),
        ("help", "help"),
    ] {
        let words = offered(&format!("{line} ''"));
        assert!(words.lines().count() > 1, "{line}: {words}");
        for word in words.lines() {
            program.run(&format!("{run} {word}")).ok();
        }
    }
    assert_eq!(program.run("complete -- create oauth2-client --name a").code, Some(1));
}

#[test]
fn fish_completes() {
    if tools::tool("fish").is_none() {
        return;
    }
    let told = shell(
        &ready(),
        "fish",
        "orysh completion fish | source\nfor line in 'orysh create oauth2-cl' 'orysh run jobs/s.rhai --c' 'orysh run jo'\ncomplete -C $line\nend\n",
    );
    assert_eq!(told, "oauth2-client\tCreate an OAuth 2.0 client\n--count\tHow many\njobs/\n");
}

#[test]
fn zsh_completes() {
    if tools::tool("zsh").is_none() {
        return;
    }
    // Completion works at a prompt only, which is one inside of the shell.
    let told = shell(
        &ready(),
        "zsh",
        r#"zmodload zsh/zpty
zpty z 'zsh -f -i'
zpty -w z 'PS1="> "; autoload -U compinit; compinit -u -d $PWD/dump; source <(orysh completion zsh); echo re""ady'
await() { local seen=''; for n in {1..200}; do zpty -r -t z part && seen+=$part; [[ $seen == *$1* ]] && return; sleep 0.05; done; print -r -- "no $1 in ${(V)seen}"; }
await ready
zpty -w -n z $'orysh create oauth2-cl\t'
await 'oauth2-client'
zpty -w -n z $'\C-u orysh run jobs/s.rhai --c\t'
await '--count'
zpty -w -n z $'\C-u orysh run jo\t'
await 'jobs'
print done
zpty -d z
"#,
    );
    assert_eq!(told, "done\n");
}

#[test]
fn zsh_completes_as_a_function_of_its_path() {
    if tools::tool("zsh").is_none() {
        return;
    }
    let program = ready();
    program.file("functions/_orysh", &program.run("completion zsh").stdout);
    let told = shell(
        &program,
        "zsh",
        r#"zmodload zsh/zpty
zpty z 'zsh -f -i'
zpty -w z 'PS1="> "; fpath=($PWD/functions $fpath); autoload -U compinit; compinit -u -d $PWD/dump; echo re""ady'
await() { local seen=''; for n in {1..200}; do zpty -r -t z part && seen+=$part; [[ $seen == *$1* ]] && return; sleep 0.05; done; print -r -- "no $1 in ${(V)seen}"; }
await ready
zpty -w -n z $'orysh create oauth2-cl\t'
await 'oauth2-client'
print done
zpty -d z
"#,
    );
    assert_eq!(told, "done\n");
}
