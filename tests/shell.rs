//! The shell: on a terminal, and from stdin.

use crate::support::{Sandbox, Terminal, anywhere, orysh};

#[test]
fn with_nothing_configured_a_terminal_lands_in_the_sandbox_and_is_told_so() {
    let shell = Terminal::of(anywhere());
    let screen = shell.shows("orysh sandbox>");
    assert!(screen.contains("this is the sandbox inside this program"), "{screen}");
    shell.types("create oauth2-client --id made --name 'by the shell'", "CLIENT SECRET");
    shell.types("it.client_id + \"!\"", "made!");
    shell.types("get oauth2-client made --format jsonpath=client_name", "by the shell");
    shell.types("it.client_name + \" again\"", "by the shell again");
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn a_function_and_a_variable_stay_for_the_next_line() {
    let shell = Terminal::of(anywhere());
    shell.shows("orysh sandbox>");
    shell.types("fn twice(x) { x * 2 }", "orysh sandbox>");
    shell.types("let a = 333;", "orysh sandbox>");
    shell.types("twice(a) + 6000", "6666");
    shell.types("it - 1", "6665");
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn an_error_is_told_and_the_shell_goes_on() {
    let shell = Terminal::of(anywhere());
    shell.types("create oauth2-client --nmae x", "did you mean `--name`?");
    shell.types("get oauth2-client absent", "HTTP 404");
    shell.types("nosuch + 1", "`let` makes one");
    shell.types("6 * 111", "666");
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn ctrl_c_stops_the_line_and_not_the_shell() {
    let shell = Terminal::of(anywhere());
    shell.types("print(\"go\" + \"ing\"); loop {}", "going");
    shell.press("\u{3}");
    shell.shows("interrupted");
    shell.types("6 * 111", "666");
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn the_prompt_names_the_server_that_is_configured() {
    let server = Sandbox::start();
    let shell = Terminal::of(orysh(&server));
    let screen = shell.shows(&format!("orysh {}", server.admin));
    assert!(!screen.contains("sandbox"), "{screen}");
    shell.types("create client --name there", "CLIENT SECRET");
    assert_eq!(server.clients().len(), 1);
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn lines_come_from_stdin_as_well() {
    let program = anywhere().input("create oauth2-client --name x --format json\nit.client_name\n");
    let ran = program.run("--sandbox").ok();
    let (made, name) = ran.stdout.trim_end().split_once('\n').unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(made).unwrap()["client_name"], "x");
    assert_eq!(name, "x");
    assert_eq!(program.pending().len(), 0);
}

#[test]
fn a_function_from_stdin_goes_over_several_lines() {
    let program = anywhere().input("fn f(x) {\n  x + 1\n}\n# so much for f\nf(41)\n");
    assert_eq!(program.run("--sandbox").quiet().stdout, "42\n");
}

#[test]
fn the_first_error_ends_stdin() {
    let program = anywhere().input("1 + 1\nget oauth2-client absent\n40 + 4\n");
    let ran = program.run("--sandbox");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), "2\n"), "{ran}");
    let ran = anywhere().input("40 + 4\n\nlet x = ;\n1 + 1\n").run("--sandbox").tells("line 3");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), "44\n"), "{ran}");
}

#[test]
fn off_a_terminal_the_sandbox_is_never_chosen_by_itself() {
    let program = anywhere().input("create oauth2-client --name x\n");
    program.run("").fails(2, "no server is named").tells("--endpoint").tells("--sandbox");
    assert!(!program.home().join("data").exists());
}

#[test]
fn a_line_may_begin_with_the_program_s_name() {
    let program = anywhere().input("orysh create client --id x -q\n  orysh --color never get client x -q\norysh\n");
    assert_eq!(program.run("--sandbox").ok().stdout, "x\nx\n");
}

#[test]
fn a_secret_on_a_line_of_the_shell_is_in_no_list_of_processes() {
    let program = anywhere().input("create client --id x --secret some-secret -q\n");
    let ran = program.run("--sandbox").ok();
    assert!(!ran.stderr.contains("list of processes"), "{ran}");
}

#[test]
fn what_reads_stdin_is_refused_where_the_shell_does() {
    let lines = [
        "inspect key @-",
        "create client --pgp-key @-",
        "create client --secret-stdin",
        "apply -f -",
        "import clients",
        "delete client -",
        "introspect token -",
    ];
    for line in lines {
        let program = anywhere().input(&format!("{line}\nversion\n"));
        let ran = program.run("--sandbox").tells("lines of the shell");
        assert_eq!(ran.code, Some(2), "{line}\n{ran}");
    }
}

#[test]
fn a_line_that_ends_itself_does_not_end_the_next() {
    let shell = Terminal::of(anywhere());
    shell.shows("orysh sandbox>");
    shell.types("exit(3)", "orysh sandbox>");
    shell.types("40 + 2", "42");
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn lines_of_stdin_come_to_what_they_say() {
    let program = anywhere().input(
        "create oauth2-client --id a --name 'my app' --format json > out.json; it.client_name\n\
         get oauth2-client a --format json | grep -o '\"client_name\":\"[^\"]*\"'\n\
         get oauth2-client ${it.client_id} --format jsonpath=client_name && create client --id b --name x${1 + 1}y -q\n\
         let ids = [\"a\", \"b\"];\n\
         get client b --format jsonpath=client_name\n\
         list clients \\\n  -q >> more.txt\n\
         delete client ${ids} --yes && list clients -q | wc -l\n\
         help create client | head -1\n",
    );
    let ran = program.run("--sandbox").ok();
    let lines = [
        "my app",
        "\"client_name\":\"my app\"",
        "my app",
        "b",
        "x2y",
        "ID",
        "a",
        "b",
        "0",
        "Create an OAuth 2.0 client",
    ];
    assert_eq!(ran.stdout.lines().collect::<Vec<_>>(), lines, "{ran}");
    let made: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(program.home().join("out.json")).unwrap()).unwrap();
    assert!(made["client_secret"].as_str().is_some_and(|secret| !secret.contains("REDACTED")), "{made}");
    assert_eq!(std::fs::read_to_string(program.home().join("more.txt")).unwrap(), "a\nb\n");
    // What is in a file already may be the only place of a secret.
    for (line, code) in
        [("list clients > out.json", 2), ("list clients >| out.json", 0), ("list clients >> out.json", 0)]
    {
        let ran = program.run_with("--sandbox", &format!("{line}\n"));
        assert_eq!(ran.code, Some(code), "{line}: {ran}");
    }
}

#[test]
fn what_is_wrong_with_a_line_is_told_before_anything_of_it_is_done() {
    for (line, told) in [
        ("create client --id a; get 'x", "a quote is open"),
        ("create client --id a; get x >", "names no file"),
        ("create client --id a && ", "between two commands"),
        ("create client --id a > x y", "words stand behind the file"),
        ("create client --id a; get ${x", "`${` is open"),
    ] {
        let program = anywhere().input(&format!("{line}\n"));
        program.run("--sandbox").fails(2, told);
        assert_eq!(program.run_with("--sandbox", "list clients -q\n").ok().stdout, "", "{line}");
    }
    let program = anywhere();
    let fails = |line: &str, told: &str| drop(program.run_with("--sandbox", &format!("{line}\n")).fails(2, told));
    fails("get client ${\"x\".to_secret()}", "it is a secret");
    fails("get client ${()}", "it is ()");
    fails("get client ${#{a: 1}}", "name a field of it");
    fails("get client a${[1, 2]}", "2 words within one");
    program.run_with("--sandbox", "get client x; version\n").fails(1, "HTTP 404");
    let ran = program.run_with("--sandbox --keep-going", "get client x && version -q\nversion\nget client y\n");
    assert!(ran.stdout.starts_with("VERSION"), "{ran}");
    ran.fails_after(3, "2 lines failed");
    program.run("--keep-going version").fails(2, "--keep-going is for the shell");
}

#[test]
fn a_file_of_lines_is_loaded() {
    let program = anywhere();
    program.file("inner.txt", "fn f(x) {\n  x * 2\n}\nlet y = f(21);\n# so\ncreate client --id a -q\n");
    program.file("wrong.txt", "create client --id b -q\n\nget client nobody\ncreate client --id c -q\n");
    program.file("round.txt", "load round.txt\n");
    let ran = program.run_with("--sandbox", "load inner.txt && load inner.txt\n");
    assert_eq!(ran.stdout, "a\n", "{ran}");
    assert_eq!(program.run_with("--sandbox", "load inner.txt\n").code, Some(1));
    assert_eq!(
        program.run_with("--sandbox", "delete client a --yes -q; load inner.txt; y\n").ok().stdout,
        "a\na\n42\n"
    );
    program.run_with("--sandbox", "load wrong.txt\n").fails_after(1, "nobody");
    program.run_with("--sandbox", "load round.txt\n").fails(2, "load each other");
    program.run_with("--sandbox", "load none.txt\n").fails(2, "none.txt");
    assert_eq!(program.run_with("--sandbox", "list clients -q\n").ok().stdout, "a\nb\n");
}

#[test]
fn lines_are_kept_for_each_place_and_shared_but_no_secret() {
    let shell = Terminal::of(anywhere());
    shell.types("6 * 111", "666");
    shell.types("!!", "6 * 111");
    shell.types("create client --id a --secret swordfish-1", "CLIENT SECRET");
    shell.types(" 7 * 111", "777");
    shell.types("!6 +", "orysh sandbox>");
    shell.press("history\r");
    let screen = shell.shows("1     6 * 111");
    assert!(screen.contains("swordfish-1"), "the line is there for the arrow keys: {screen}");
    let file = shell.home().join("state/history/sandbox");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("6 * 111") && !text.contains("swordfish") && !text.contains("7 * 111"), "{text}");
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions()) & 0o777,
        0o600
    );
    // Another shell's line.
    std::fs::write(&file, format!("{text}40 + 4002\n")).unwrap();
    shell.types("1 + 1", "2");
    shell.types("!40", "4042");
    shell.types("history clear --yes", "orysh sandbox>");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "");
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn what_shell_rhai_defines_is_there_and_its_errors_do_not_keep_the_shell_from_starting() {
    let program = anywhere();
    program.file("config/shell.rhai", "let team = \"ops\";\nfn of(name) { name + \"@example.org\" }\n");
    let shell = Terminal::of(program);
    shell.types("of(team)", "ops@example.org");
    assert_eq!(shell.leaves().code(), Some(0));
    let program = anywhere();
    program.file("config/shell.rhai", "let a = 1;\nlet x = ;\n");
    let shell = Terminal::of(program);
    let screen = shell.shows("orysh sandbox>");
    assert!(screen.contains("shell.rhai") && screen.contains("line 2"), "{screen}");
    shell.types("6 * 111", "666");
    assert_eq!(shell.leaves().code(), Some(0));
    let program = anywhere();
    program.file("config/shell.rhai", "let x = ;\n");
    let shell = Terminal::with(program, &["--norc"]);
    assert!(!shell.shows("orysh sandbox>").contains("shell.rhai"));
    shell.types("sleep(0.6)", "it took 0.6 s");
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn tab_completes_what_stands_before_the_cursor() {
    let program = anywhere();
    program.file("services.csv", "client_name\n");
    let shell = Terminal::of(program);
    shell.types("let team = \"ops\";", "orysh sandbox>");
    shell.types("create client --id made-1 -q", "made-1");
    for (typed, shown) in [
        ("tea\t + 1", "orysh sandbox> team + 1"),
        ("dele\t oauth2-cl\t", "orysh sandbox> delete oauth2-client"),
        ("create client --gra\t", "orysh sandbox> create client --grant-type"),
        ("clients::rot\t", "orysh sandbox> clients::rotate_secret"),
        ("get client ${tea\t}", "orysh sandbox> get client ${team}"),
        ("batch create serv\t", "orysh sandbox> batch create services.csv"),
        ("version; lis\t", "orysh sandbox> version; list"),
        ("it.client_na\t", "orysh sandbox> it.client_name"),
    ] {
        shell.press(typed);
        shell.shows(shown);
        shell.press("\u{3}");
        shell.until("an empty prompt", |contents| contents.trim_end().ends_with("orysh sandbox>"));
    }
    // Several: all of them are shown.
    shell.press("clients::cre\t\t");
    shell.shows("create_all");
    shell.press("\u{3}");
    assert_eq!(shell.leaves().code(), Some(0));
}
