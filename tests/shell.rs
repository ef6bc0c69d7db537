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
