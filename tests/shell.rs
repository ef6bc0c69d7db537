//! The shell: on a terminal, and from stdin.

use std::fs;

use rustix::process::Signal;
use serde_json::json;

use crate::plugins::{install, plugin};
use crate::support::{Orysh, PROGRAM, Sandbox, Terminal, anywhere, files_below, holds, orysh};

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
fn lines_that_are_typed_ahead_or_pasted_are_done_in_their_order() {
    let shell = Terminal::sized(anywhere(), &[], (80, 80));
    shell.shows("orysh sandbox>");
    for (typed, last) in [
        ("40 + 1\r40 + 2\r\r40 + 3\r", "43"),
        ("50 + 1\n50 + 2\nfn f() {\n  50\n}\n50 + 3\n", "53"),
        ("sleep(0.6)\r60 + 1\r60 + 2\r60 + 3\r", "63"),
    ] {
        shell.press(typed);
        shell.until(last, |screen| screen.lines().any(|line| line == last));
    }
    // Once a line runs, they come to the terminal itself.
    shell.types("print(\"be\" + \"gun\"); sleep(0.6)", "begun");
    shell.press("70 + 1\r70 + 2\r7");
    let screen = shell.until("72", |screen| screen.lines().any(|line| line == "72"));
    // What is typed and not ended may stand on a line of its own.
    let numbers: Vec<u32> = screen.lines().filter_map(|line| line.parse().ok()).filter(|number| *number > 7).collect();
    assert_eq!(numbers, [41, 42, 43, 51, 52, 53, 61, 62, 63, 71, 72], "{screen}");
    shell.press("77 - 700\r");
    shell.shows("77");
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn a_long_line_that_is_pasted_key_by_key_is_read_in_good_time() {
    let shell = Terminal::of(anywhere());
    shell.shows("orysh sandbox>");
    let began = std::time::Instant::now();
    shell.press(&format!("\"{}\".len() + 1\r6 * 111\r", "a".repeat(20_000)));
    let screen = shell.until("666", |screen| screen.lines().any(|line| line == "666"));
    assert!(screen.lines().any(|line| line == "20001"), "{screen}");
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn ctrl_c_drops_what_was_typed_ahead() {
    let shell = Terminal::of(anywhere());
    shell.shows("orysh sandbox>");
    shell.press("print(\"be\" + \"gun\"); loop {}\r40 + 1\r");
    shell.shows("begun");
    shell.press("40 + 2\r");
    shell.press("\u{3}");
    shell.shows("interrupted");
    shell.types("6 * 111", "666");
    // What was typed before is there.
    shell.press("\u{1b}[A\u{1b}[A\r");
    shell.until("it again", |screen| screen.matches("begun").count() == 2);
    shell.press("\u{3}");
    let screen = shell.types("7 * 111", "777");
    assert!(!screen.lines().any(|line| ["41", "42"].contains(&line)), "{screen}");
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn a_question_is_answered_by_whoever_sees_it_and_the_lines_behind_are_done_after_it() {
    let shell = Terminal::of(anywhere());
    shell.types("create oauth2-client --id a -q", "a");
    shell.until("a prompt", |screen| screen.trim_end().ends_with('>'));
    shell.press("delete oauth2-client a\r40 + 2\r");
    let screen = shell.shows("[y/N]");
    assert!(!screen.lines().any(|line| line == "42"), "{screen}");
    shell.answers("n", "42");
    shell.types("list oauth2-clients -q | wc -l", "1");
    // What may be a secret is neither taken for the answer nor done.
    shell.until("a prompt", |screen| screen.trim_end().ends_with('>'));
    shell.press("let s = ui::password(\"which\")\rcanary-typed-ahead\r70 + 7\r");
    shell.shows("which: ");
    shell.press("canary-typed-now\r");
    shell.until("a prompt", |screen| screen.trim_end().ends_with('>'));
    let screen = shell.types("6 * 111", "666");
    assert!(!screen.contains("canary") && !screen.lines().any(|line| line == "77"), "{screen}");
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn what_is_typed_while_a_line_runs_answers_no_question_of_it() {
    let program = anywhere().with("EDITOR", "sh ed.sh");
    program.file("ed.sh", "echo ed''iting; echo 'ownr: x' >> \"$1\"; sleep 0.6\n");
    program.file("l.txt", "print(\"be\" + \"gun\"); sleep(0.6)\ndelete oauth2-client a\n");
    let shell = Terminal::of(program);
    shell.types("create oauth2-client --id a -q", "a");
    shell.types("load l.txt", "begun");
    shell.press("y\r");
    let screen = shell.shows("[y/N]");
    assert!(screen.contains("typed ahead is not done"), "{screen}");
    shell.answers("", ">");
    shell.types("list oauth2-clients -q | wc -l", "1");
    // Whoever has seen the first question may answer those behind it, too.
    shell.types(
        "print(\"go\" + \"ing\"); sleep(0.6); let b = ui::prompt(\"one?\") + \"-\" + ui::prompt(\"two?\")",
        "going",
    );
    shell.press("ahead\r");
    shell.until("a question", |screen| screen.contains("\none?"));
    shell.press("x1\rx2\r");
    shell.until("a prompt", |screen| screen.trim_end().ends_with('>'));
    shell.types("b + \"!\"", "x1-x2!");
    shell.types("edit a", "editing");
    shell.press("n\r");
    shell.shows("Edit it again?");
    shell.answers("", "editing");
    shell.until("another question", |screen| screen.matches("Edit it again?").count() == 2);
    shell.answers("n", ">");
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
    for lines in ["list oauth2-clients\n", "version\nget oauth2-client a\n", "\n\nlist oauth2-clients > x.txt\n"] {
        let ran = anywhere().input(lines).run("").fails_after(2, "line ");
        let told = ran.stderr.lines().next().unwrap_or_default();
        assert_eq!(told.matches("line ").count(), 1, "{lines}: {ran}");
    }
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
fn exit_leaves_with_its_code_as_a_command_and_as_rhai() {
    for (line, code) in [("exit", 0), ("quit", 0), ("exit 3", 3), ("version && exit 4; version", 4), ("exit(5)", 5)] {
        let mut shell = Terminal::of(anywhere());
        shell.shows("orysh sandbox>");
        shell.press(&format!("{line}\r"));
        assert_eq!(shell.ended().code(), Some(code), "{line}");
        assert_eq!(anywhere().input(&format!("{line}\n40 + 2\n")).run("--sandbox").code, Some(code), "{line}");
    }
    anywhere().run("--sandbox").ok();
    assert!(anywhere().input("help exit\n").run("--sandbox").ok().stdout.contains("exit code"));
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
        serde_json::from_str(&fs::read_to_string(program.home().join("out.json")).unwrap()).unwrap();
    assert!(made["client_secret"].as_str().is_some_and(|secret| !secret.contains("REDACTED")), "{made}");
    assert_eq!(fs::read_to_string(program.home().join("more.txt")).unwrap(), "a\nb\n");
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
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("6 * 111") && !text.contains("swordfish") && !text.contains("7 * 111"), "{text}");
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions()) & 0o777, 0o600);
    // Another shell's line.
    fs::write(&file, format!("{text}40 + 4002\n")).unwrap();
    shell.types("1 + 1", "2");
    shell.types("!40", "4042");
    shell.types("history clear --yes", "orysh sandbox>");
    assert_eq!(fs::read_to_string(&file).unwrap(), "");
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

#[test]
fn a_client_is_made_by_a_form_and_its_secret_is_shown_in_a_box() {
    let server = Sandbox::with("--hash-iterations 1");
    let shell = Terminal::of(orysh(&server));
    shell.types("create oauth2-client", "Which one?");
    shell.answers("9", "`9` is none of them");
    shell.answers("single", "PKCE");
    shell.answers("my app", "redirect_uris (as");
    shell.answers("nonsense", "not an absolute URI");
    shell.answers("https://app.example/cb", "redirect_uris [no more]");
    shell.answers("javascript:alert(1)", "dangerous");
    shell.answers("", "scope [openid offline_access]");
    shell.answers("", "owner:");
    let screen = shell.answers("", "Create it? [Y/n/e]");
    // On a screen of 80 columns the command goes over several lines.
    let flat: String = screen.lines().map(str::trim_end).collect();
    for part in ["--name 'my app'", "--token-endpoint-auth-method none", "clients::create(#{client_name: \"my app\""] {
        assert!(flat.contains(part), "{part}: {screen}");
    }
    shell.answers("", "CLIENT ID");
    let made = &server.clients()[0];
    assert_eq!(
        (&made["token_endpoint_auth_method"], &made["redirect_uris"]),
        (&json!("none"), &json!(["https://app.example/cb"]))
    );
    // One with a secret.
    shell.types("create oauth2-client", "Which one?");
    shell.answers("4", "client_name:");
    shell.answers("job", "scope:");
    shell.answers("read", "audience:");
    shell.answers("", "owner:");
    shell.answers("", "Create it? [Y/n/e]");
    let screen = shell.answers("", "[c/e/s]");
    let boxed = screen.lines().find_map(|line| line.trim_end().strip_prefix("│ ")).unwrap();
    let secret = boxed.trim_end_matches(['│', ' ']).to_owned();
    shell.answers("s", "to which file?");
    shell.answers("job.secret", "only you can read");
    shell.answers("s", "to which file?");
    shell.answers("job.secret", "cannot");
    shell.answers("cancel", "none of these");
    shell.answers("e", "for whom");
    shell.answers("nobody.asc", "there is no file `nobody.asc`");
    // Ctrl-C leaves a question of the box, and not the box.
    shell.press("save\r");
    shell.until("the question", |screen| screen.trim_end().ends_with("to which file?"));
    shell.press("\u{3}");
    shell.shows("nothing was done");
    let screen = shell.answers("", "GRANT TYPES     client_credentials");
    assert!(!screen.contains(&format!("CLIENT SECRET   {secret}")), "{screen}");
    assert_eq!(fs::read_to_string(shell.home().join("job.secret")).unwrap().trim_end(), secret);
    let job = server.clients().into_iter().find(|client| client["client_name"] == "job").unwrap();
    assert!(server.accepts(&job["client_id"], &json!(secret)));
    shell.types("copy it.client_secret", ">");
    shell.types("it.client_secret", "[REDACTED]");
    // Nothing is asked where something is said, and nothing made where it is not wanted.
    shell.types("create oauth2-client --no-input --format jsonpath=client_name", "orysh");
    shell.types("create oauth2-client", "Which one?");
    shell.press("\u{3}");
    shell.shows("interrupted");
    assert_eq!(server.clients().len(), 3);
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn what_was_answered_in_the_form_can_be_corrected_and_is_not_lost() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server).untimed();
    program.file(
        "config/config.toml",
        &format!(
            "[profile.here]\nendpoint = \"http://127.0.0.1:1\"\n\n[profile.stage]\nendpoint = \"{}\"\n",
            server.admin
        ),
    );
    let shell = Terminal::with(program, &["--profile", "stage"]);
    shell.types("create oauth2-client", "Which one?");
    shell.answers("1", "client_name:");
    shell.answers("web", "redirect_uris (as");
    shell.answers("localhost:3000/cb", "Keep it? [y/N]");
    shell.answers("n", "redirect_uris (as");
    shell.answers("http://app.example/cb", "Keep it? [y/N]");
    shell.answers("y", "redirect_uris [no more]");
    shell.answers("http://app.example/cb", "is there already");
    shell.answers("", "scope [openid");
    shell.answers("-", "owner:");
    // What is pasted below an answer is none to what comes after the preview.
    let screen = shell.answers("ops\rn\rn\rn", "Create it? [Y/n/e]");
    let flat: String = screen.lines().map(str::trim_end).collect();
    assert!(flat.contains("http://app.example/cb --owner ops --profile stage"), "{screen}");
    assert!(screen.contains("the server puts its own there: offline_access offline openid"), "{screen}");
    assert!(screen.contains("warning: `http://app.example/cb`"), "{screen}");
    let asks_again = || shell.until("the question", |screen| screen.trim_end().ends_with("Create it? [Y/n/e]"));
    shell.answers("quit", "none of these: yes, no, edit");
    shell.answers("e", "Which one: kind, client_name, redirect_uris, scope, owner?");
    shell.answers("kind", "Which one? [1]");
    shell.press("2\r");
    asks_again();
    shell.answers("e", "Which one:");
    shell.answers("redirect", "redirect_uris [http://app.example/cb]");
    shell.answers("https://app.example/cb", "redirect_uris [no more]");
    shell.press("\r");
    asks_again();
    shell.answers("n", "the same again: orysh create oauth2-client");
    assert!(server.clients().is_empty());
    // Up brings it back as it was answered.
    shell.press("\u{1b}[A\r");
    shell.shows("CLIENT ID");
    let made = &server.clients()[0];
    assert_eq!((&made["owner"], &made["client_name"]), (&json!("ops"), &json!("web")));
    assert_eq!(
        (&made["token_endpoint_auth_method"], &made["redirect_uris"]),
        (&json!("none"), &json!(["https://app.example/cb"]))
    );
    // What is typed behind Ctrl-C is a line, and a question that is left ends its own.
    shell.types("create oauth2-client", "Which one?");
    shell.press("\u{3}6 * 111\r");
    shell.shows("666");
    shell.until("a prompt", |screen| screen.trim_end().ends_with('>'));
    shell.press("create oauth2-client\r");
    shell.until("the question", |screen| screen.trim_end().ends_with("Which one? [1]"));
    shell.press("\u{4}");
    shell.until("the error on a line of its own", |screen| {
        let below = screen.rsplit_once("Which one? [1]").map_or("", |(_, below)| below);
        below.trim_start_matches(' ').starts_with("\nerror: interrupted")
    });
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn a_form_whose_server_is_down_in_the_end_can_be_sent_again() {
    let shell = Terminal::with(anywhere().untimed(), &["--endpoint", "http://127.0.0.1:1"]);
    shell.types("create oauth2-client", "Which one?");
    shell.answers("machine", "client_name:");
    shell.answers("job", "scope:");
    shell.answers("read", "audience:");
    shell.answers("https://one.example", "audience [no more]:");
    shell.answers("https://two.example", "audience [no more]:");
    shell.answers("", "owner:");
    shell.answers("", "Create it? [Y/n/e]");
    let screen = shell.answers("", "the same again");
    let flat: String = screen.lines().map(str::trim_end).collect();
    let line = "--audience https://one.example --audience https://two.example --endpoint http://127.0.0.1:1";
    assert!(flat.rsplit_once("the same again").is_some_and(|(_, again)| again.contains(line)), "{screen}");
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn a_pager_that_is_not_there_keeps_nothing_back_and_a_question_is_asked_until_it_is_answered() {
    let server = Sandbox::of_many(60, "");
    let shell = Terminal::of(orysh(&server).untimed().with("PAGER", "no-such-pager"));
    shell.shows(&server.admin);
    let screen = shell.answers("list clients --all -q", "c0059");
    assert!((25..60).all(|n| screen.contains(&format!("c{n:04}"))), "{screen}");
    // What a person takes is not charged to the line.
    shell.types("set setting slow 0.3s", ">");
    shell.types("ui::confirm(\"Sure?\")", "Sure? [y/N]");
    std::thread::sleep(std::time::Duration::from_millis(600));
    shell.answers("quit", "none of these: yes, no");
    shell.answers("YES", "true");
    assert!(!shell.types("6 * 111", "666").contains("it took"), "{}", shell.contents());
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn whoever_leaves_the_tour_at_any_step_leaves_nothing_behind() {
    for (steps, leaving) in [(1, "\u{3}"), (2, "q\r"), (5, "\u{3}"), (6, "q\r"), (7, "\u{4}")] {
        let shell = Terminal::of(anywhere().untimed());
        shell.answers("tour", "q ends the tour");
        for step in 2..=steps + 1 {
            shell.answers("", &format!("{step} of 8"));
        }
        shell.press(leaving);
        shell.types("let left = clients::list().to_array().len(); `${left} left`", "0 left");
        assert!(files_below(&shell.home().join("state/batch")).is_empty(), "{steps}");
        assert!(files_below(&shell.home().join("state/pending")).is_empty(), "{steps}");
        assert_eq!(shell.leaves().code(), Some(0));
    }
}

#[test]
fn the_tour_goes_to_its_end_and_leaves_nothing() {
    let shell = Terminal::of(anywhere());
    shell.shows("`tour` shows");
    shell.answers("tour", "q ends the tour");
    for (at, shown) in
        [(2, "SECRET"), (3, "has the id tour-"), (4, "LS0t"), (5, "client_credentials"), (6, "results:"), (7, "7 of 8")]
    {
        let screen = shell.answers("", &format!("{at} of 8"));
        assert!(screen.contains(shown), "{at}: {screen}");
    }
    shell.answers("", "8 of 8");
    shell.answers("", "is forgotten");
    shell.types("clients::list().to_array().len() + 700", "700");
    assert_eq!(shell.leaves().code(), Some(0));
    // From stdin it goes by itself.
    let program = anywhere().input("tour\nclients::list().to_array().len()\n");
    assert!(program.run("--sandbox").ok().stdout.ends_with("\n0\n"));
}

#[test]
fn tab_completes_clients_and_lines_are_coloured_as_they_are_typed() {
    let server = Sandbox::holding(
        &[json!({"client_id": "app-1", "client_name": "shop"}), json!({"client_id": "app-2", "client_name": "till"})],
        "",
    );
    let program = orysh(&server);
    program.run("profile add there --endpoint http://127.0.0.1:1").ok();
    let shell = Terminal::of(program);
    shell.shows("orysh");
    // The list is asked for while the line is typed.
    shell.press("get oauth2-client \t\t");
    shell.shows("app-2  (till)");
    shell.press("\u{15}get oauth2-client til\t --format jsonpath=client_name\r");
    shell.until("the name", |screen| screen.lines().any(|line| line.trim_end() == "till"));
    shell.press("use profile t\t");
    shell.shows("use profile there");
    shell.press("\u{15}create oauth2-client --token-endpoint-auth-m");
    // The rest of the only flag that begins so, and what it is for.
    shell.shows("--token-endpoint-auth-method  ");
    shell.press("\u{15}copy it\r");
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn what_tab_inserts_is_one_word() {
    let ids = ["zz top", "zy;version", "shop-1"];
    let clients: Vec<_> = ids.iter().map(|id| json!({"client_id": id})).collect();
    let server = Sandbox::holding(&clients, "");
    let shell = Terminal::of(orysh(&server));
    shell.shows("orysh");
    for (typed, id) in [("zz\t", "zz top"), ("zy\t", "zy;version"), ("\"sh\t", "shop-1"), ("'zz t\t", "zz top")] {
        shell.press(&format!("get oauth2-client {typed} --format jsonpath=client_id\r"));
        shell.until(id, |screen| screen.lines().any(|line| line.trim_end() == id));
        shell.press("\u{c}");
    }
    shell.types("let m = #{bb: #{inner: 1}};", "orysh");
    for (typed, shown) in [
        ("orysh get oauth2-client sh\t", "> orysh get oauth2-client shop-1"),
        ("set setting edit-mode v\t", "> set setting edit-mode vi"),
        ("help cre\t", "> help create"),
        ("create oauth2-client --grant-type=cl\t", "--grant-type=client_credentials"),
        ("list oauth2-clients --where 'c.owne\t", "--where 'c.owner"),
        ("m.bb.in\t", "> m.bb.inner"),
    ] {
        shell.press(typed);
        shell.shows(shown);
        shell.press("\u{3}");
        shell.until("an empty prompt", |contents| contents.trim_end().ends_with('>'));
    }
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn a_command_with_a_slip_in_its_name_is_told_what_was_meant() {
    let shell = Terminal::of(anywhere());
    shell.shows("orysh");
    for (typed, meant) in [("contxt", "`context`"), ("histry", "`history`"), ("lsit", "`list`")] {
        let screen = shell.types(typed, meant);
        assert!(!screen.contains("undefined"), "{screen}");
    }
    // A variable may be called as it likes.
    shell.types("let contxt = 40 + 1;", "orysh");
    shell.types("contxt", "41");
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn a_client_is_edited_as_yaml_and_what_changed_is_sent() {
    let server = Sandbox::holding(&[json!({"client_id": "a", "client_name": "shop", "owner": "old"})], "");
    let program = orysh(&server);
    program.file(
        "ed.sh",
        "#!/bin/sh\ncase $(cat n 2>/dev/null) in\n'') sed -i 's/^owner: .*/ownr: new/' \"$1\"; echo 1 > n;;\n1) sed -i 's/^ownr: .*/owner: new/; s/^client_name: .*//; s/^# audience:/audience: [x, y]/' \"$1\"; echo 2 > n;;\n*) true;;\nesac\n",
    );
    let shell = Terminal::of(program.with("EDITOR", "sh ed.sh"));
    shell.answers("edit a", "did you mean `owner`?");
    shell.answers("", "CLIENT ID       a");
    let client = server.client("a");
    assert_eq!((&client["owner"], &client["client_name"]), (&json!("new"), &json!("")));
    assert_eq!(client["audience"], json!(["x", "y"]));
    shell.types("edit a", "nothing was changed");
    shell.types("edit b", "HTTP 404");
    shell.types("6 * 111", "666");
    shell.answers("edit", "666");
    shell.types("7 * 111", "777");
    assert_eq!(fs::read_dir(shell.home().join("state/edit")).unwrap().count(), 0);
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn what_was_edited_and_not_taken_is_kept() {
    let server = Sandbox::holding(&[json!({"client_id": "a", "client_name": "shop"})], "");
    let program = orysh(&server).with("EDITOR", "sed -i 's/^client_name: .*/client_name: till/'");
    let code = "fn before_update(id, change) { throw \"not on Fridays\"; }";
    plugin(&program, "rules", "hooks = [\"before_update\"]\n", code);
    install(&program, "./rules");
    let shell = Terminal::of(program);
    shell.types("edit a", "what was edited is kept");
    let kept: Vec<_> =
        fs::read_dir(shell.home().join("state/edit")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [file] = kept.as_slice() else { panic!("{kept:?}") };
    assert!(fs::read_to_string(file).unwrap().contains("client_name: till"));
    shell.types("plugin disable rules", "is off");
    shell.types(&format!("update oauth2-client a --file {} -q", file.display()), ">");
    shell.types("get client a --format jsonpath=client_name", "till");
    // Whoever agrees beforehand is not asked.
    shell.types("undo --yes", "UNDONE");
    assert_eq!(server.client("a")["client_name"], "shop");
    assert_eq!(shell.leaves().code(), Some(0));
}

/// What `edit` has left, with its text.
fn drafts(program: &Orysh) -> Vec<(String, String)> {
    let found =
        fs::read_dir(program.home().join("state/edit")).into_iter().flatten().map(|entry| entry.unwrap().path());
    found.map(|path| (path.display().to_string(), fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn what_was_edited_and_is_wrong_is_kept_without_its_secrets() {
    let server = Sandbox::holding(&[json!({"client_id": "a", "client_name": "shop", "owner": "old"})], "");
    let program = orysh(&server).with("EDITOR", "sh ed.sh");
    let block = "client_secret: |\n  canary-one\nclient_secrt: canary-two\n";
    program.file(
        "ed.sh",
        &format!("sed -i 's/^owner: .*/ownr: new/; s/^client_name: .*//' \"$1\"\nprintf '{block}' >> \"$1\"\n"),
    );
    let shell = Terminal::sized(program.same_home(), &[], (24, 200));
    shell.types("edit a", "Edit it again?");
    shell.answers("n", "what was edited is kept");
    let [(file, text)] = drafts(&program).try_into().unwrap();
    assert!(text.contains("ownr: new") && !text.contains("canary"), "{text}");
    let line = format!("update oauth2-client a --file {file} --unset client_name --unset owner");
    assert!(shell.contents().replace('\n', "").contains(&line), "{}", shell.contents());
    fs::write(&file, text.replace("ownr", "owner")).unwrap();
    shell.types(&format!("{line} -q"), ">");
    let client = server.client("a");
    assert_eq!((&client["owner"], &client["client_name"]), (&json!("new"), &json!("")));
    fs::remove_file(file).unwrap();
    shell.types("edit  a", "Edit it again?");
    shell.press("\u{3}");
    assert_eq!(shell.leaves().code(), Some(0));
    assert!(drafts(&program)[0].1.contains("ownr: new"));
}

#[test]
fn what_was_edited_is_kept_without_private_keys() {
    let public = json!({"keys": [{"kty": "RSA", "kid": "one", "use": "sig", "n": "AQAB", "e": "AQAB"}]});
    let clients = [
        json!({"client_id": "a", "client_name": "shop", "owner": "old", "jwks": public}),
        json!({"client_id": "b", "client_name": "shop", "owner": "old"}),
    ];
    let server = Sandbox::holding(&clients, "");
    let program = orysh(&server).with("EDITOR", "sh ed.sh");
    let one = r#"jwks: {"keys": [{"kty": "oct", "k": "canary"}]}"#;
    let block = "jwks:\\n  keys:\\n  - kty: RSA\\n    n: AQAB\\n    e: AQAB\\n    p: canary\\n";
    let (renamed, wrong) = ("s/^owner: .*/owner: new/", "s/^owner: .*/ownr: new/");
    for (id, script, added, kept) in [
        ("b", "", one, None),
        ("b", renamed, one, Some("owner: new\n")),
        ("a", "s/^jwks:/jwks:\\n  d: canary/; s/kty: RSA/kty: oct/; s/.n.: AQAB/k: canary/", "", None),
        ("a", "s/^\\( *\\).n.: AQAB/\\1d: canary\\n&/; s/^owner: .*/owner: new/", "", Some("owner: new\n")),
        ("a", wrong, "jwks: {keys: [{kty: oct,\\nk: canary}]}\\n", Some("ownr: new")),
        ("b", wrong, block, Some("ownr: new")),
        ("b", wrong, r#""jwks" :\n  keys: [{kty: oct, k: canary}]\n"#, Some("ownr: new")),
        ("b", wrong, r"? jwks\n: keys:\n  - {kty: oct,\n   k: canary}\n", Some("ownr: new")),
        ("b", "", r"jkws:\n- kty: EC\n  d: |\n    canary\n", None),
        ("b", wrong, r"? client_secret\n: canary\n", Some("ownr: new")),
        ("b", wrong, r"dq: canary\noth: [{r: 1, d: canary}]\n", Some("ownr: new")),
    ] {
        program.file("ed.sh", &format!("sed -i '{script}' \"$1\"\nprintf '{added}' >> \"$1\"\n"));
        let shell = Terminal::sized(program.same_home(), &[], (40, 200));
        let case = format!("{script} {added}");
        shell.types(&format!("edit {id}"), "Edit it again?");
        shell.answers("n", if kept.is_some() { "sends it" } else { "is not kept" });
        assert_eq!(shell.leaves().code(), Some(0));
        let drafts = drafts(&program);
        assert_eq!(drafts.len(), usize::from(kept.is_some()), "{case}: {drafts:?}");
        for (file, text) in drafts {
            let is_clean = !text.contains("canary");
            assert!(is_clean && kept.is_some_and(|kept| text.contains(kept)), "{case}: {text}");
            fs::remove_file(file).unwrap();
        }
    }
    // What was left out is not emptied by what is kept.
    let shell = Terminal::sized(program.same_home(), &[], (40, 200));
    program.file("ed.sh", "sed -i 's/^\\( *\\).n.: AQAB/\\1d: canary\\n&/; s/^owner: .*/owner: new/' \"$1\"\n");
    shell.types("edit a", "Edit it again?");
    shell.answers("n", "sends it");
    let [(file, _)] = drafts(&program).try_into().unwrap();
    let line = format!("update oauth2-client a --file {file}");
    assert!(shell.contents().replace('\n', "").contains(&format!("`{line}` sends it")), "{}", shell.contents());
    shell.types(&format!("{line} -q"), ">");
    assert_eq!((&server.client("a")["owner"], &server.client("a")["jwks"]), (&json!("new"), &public));
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn what_was_edited_and_is_refused_is_said_to_be_sent_once_it_is_mended() {
    let server = Sandbox::holding(&[json!({"client_id": "a", "client_name": "shop"})], "");
    let program = orysh(&server)
        .with("EDITOR", "sed -i 's/^token_endpoint_auth_method: .*/token_endpoint_auth_method: private_key_jwt/'");
    let shell = Terminal::sized(program.same_home(), &[], (40, 200));
    shell.types("edit a", "what was edited is kept");
    shell.shows("sends it, once it is mended");
    assert_eq!(drafts(&program).len(), 1);
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn what_was_edited_and_is_not_written_over_that_of_others_is_kept() {
    let server = Sandbox::holding(&[json!({"client_id": "a", "client_name": "shop", "owner": "old"})], "");
    let program = orysh(&server).with("EDITOR", "sh ed.sh");
    program.file(
        "ed.sh",
        "sed -i 's/^owner: .*/owner: new/' \"$1\"\ntouch edited\nwhile [ ! -e on ]; do sleep 0.02; done\n",
    );
    let shell = Terminal::sized(program.same_home(), &[], (24, 200));
    shell.shows(">");
    shell.press("edit a\r");
    shell.until("it is edited", |_| program.home().join("edited").exists());
    program.run("update client a --owner other").ok();
    program.file("on", "");
    shell.shows("Write over it?");
    shell.answers("n", "what was edited is kept");
    let [(file, text)] = drafts(&program).try_into().unwrap();
    assert_eq!((text.as_str(), &server.client("a")["owner"]), ("owner: new\n", &json!("other")));
    shell.types(&format!("update oauth2-client a --file {file} -q"), ">");
    assert_eq!(server.client("a")["owner"], "new");
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn what_is_being_edited_as_the_shell_is_ended_is_kept() {
    let server = Sandbox::holding(&[json!({"client_id": "a", "client_name": "shop"})], "");
    for signal in [Signal::TERM, Signal::HUP] {
        for (edit, is_asked, kept) in [
            ("s/^client_name: .*/client_name: till/", false, Some("client_name: till\n")),
            ("s/^client_name: .*/clientname: till/", false, Some("\nclientname: till\n")),
            ("s/^client_name: .*/clientname: till/", true, Some("\nclientname: till\n")),
            ("", false, None),
        ] {
            let program = orysh(&server).with("EDITOR", "sh ed.sh").untimed();
            let waits = if is_asked { "" } else { "exec sleep 47" };
            program.file("ed.sh", &format!("sed -i '{edit}' \"$1\"\ntouch edited\n{waits}\n"));
            let mut shell = Terminal::of(program.same_home());
            shell.shows(">");
            shell.press("edit a\r");
            shell.until("it is edited", |screen| {
                program.home().join("edited").exists() && (!is_asked || screen.contains("Edit it again?"))
            });
            shell.signal(signal);
            assert_eq!(shell.ended().code(), Some(130));
            let drafts = drafts(&program);
            let is_kept = drafts.len() == 1 && kept.is_some_and(|kept| drafts[0].1.contains(kept));
            assert_eq!((is_kept, drafts.len()), (kept.is_some(), usize::from(kept.is_some())), "{edit}: {drafts:?}");
        }
    }
    assert_eq!(server.client("a")["client_name"], "shop");
}

#[test]
fn undo_takes_back_what_the_last_line_wrote() {
    let server = Sandbox::start();
    let program = orysh(&server);
    program.file("rows.csv", "client_name\na\nb\n");
    let name = |id: &str| {
        server.clients().into_iter().find(|client| client["client_id"] == id).map(|it| it["client_name"].clone())
    };
    let lines = |lines: &str| program.run_with("--keep-going", lines);
    let ran = lines("undo\ncreate client --id a -q; create client --id b -q\n6 * 7\nundo\nundo");
    assert_eq!(ran.stderr.matches("no line of this shell has written anything").count(), 2, "{ran}");
    assert!(ran.stdout.contains("42\n") && server.clients().is_empty(), "{ran}");
    // Of what a line did to one client, the first state counts; a line after the other is taken back.
    lines("create client --id c --name one -q\nupdate client c --name two -q; update client c --name three --add-scope x -q\nundo").tells("client_name, scope");
    assert_eq!(name("c"), Some(json!("one")));
    lines("update client c --name two -q\nupdate client c --name three -q\nundo\nundo");
    assert_eq!(name("c"), Some(json!("one")));
    // What cannot be taken back is told, and nothing older is touched.
    let told = "client `d` was deleted, which cannot be undone";
    lines("update client c --name two -q\ncreate client --id d -q\ndelete client d\nundo\nundo").tells(told);
    lines("rotate oauth2-client-secret c -q\nundo").tells("nobody knows the old one here");
    assert_eq!(name("c"), Some(json!("two")));
    // Neither is what somebody else has changed meanwhile.
    let theirs =
        format!("get client c -q | xargs {PROGRAM} update client --name theirs -q --endpoint {}", server.admin);
    lines(&format!("update client c --name three -q\n{theirs}\nundo")).tells("was changed since in client_name");
    assert_eq!(name("c"), Some(json!("theirs")));
    // A run is taken back as a whole, and asks as `batch undo` does.
    lines("batch create rows.csv -q\nundo").tells("--yes does it without asking");
    assert_eq!(server.clients().len(), 3);
    lines("batch create rows.csv -q --again\nundo --yes\nundo --yes");
    assert_eq!(server.clients().len(), 3);
}

#[test]
fn what_is_set_of_the_shell_counts_at_once_and_stays() {
    let server = Sandbox::of_many(60, "");
    let program = orysh(&server).with("PAGER", "sed s/^/paged:/");
    program.file("config/shell.toml", "slow = \"1h\"\n");
    let shell = Terminal::of(program);
    shell.types("list clients --page-size 3", "c0002");
    let screen = shell.answers("list clients", "paged:c0059");
    assert!(screen.contains("paged:c0050"), "{screen}");
    shell.types("set setting pager off", ">");
    shell.answers("list clients --page-size 50 -q", "c0049");
    shell.types("set setting prompt '{place}{status} '", ">");
    shell.types("\\x", "rows are shown as lines");
    shell.types("list clients --page-size 2", "- row 2 -");
    shell.types("set setting edit-mode vim", "emacs or vi");
    shell.types("set setting pagr on", "a similar value exists: 'pager'");
    shell.types("show settings --format jsonpath=2.value", "off");
    let kept = fs::read_to_string(shell.home().join("config/shell.toml")).unwrap();
    assert_eq!(kept, "slow = \"1h\"\npager = \"off\"\nprompt = \"{place}{status} \"\n");
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn eight_shells_share_one_history_and_one_that_is_killed_loses_nothing_but_its_line() {
    let server = Sandbox::start();
    let home = orysh(&server);
    let shells: Vec<Terminal> = (0..8).map(|_| Terminal::of(home.same_home())).collect();
    for round in 0..4 {
        for (at, shell) in shells.iter().enumerate() {
            shell.types(&format!("{} + 1", 1000 * (at + 1) + round), &format!("{}", 1000 * (at + 1) + round + 1));
        }
    }
    // One is killed in the middle of a line.
    shells[7].press("never finished");
    let mut shells = shells;
    drop(shells.pop());
    shells[0].types("history > all.txt; 41 + 1", "42");
    shells[0].types("history --format jsonpath=#", "34");
    shells[0].types("history | sort | uniq | wc -l", "36");
    let told = fs::read_to_string(home.home().join("all.txt")).unwrap();
    assert!(told.contains("8003 + 1") && !told.contains("never finished"), "{told}");
    let folder = home.home().join("state/history");
    let file = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let lines = fs::read_to_string(file).unwrap();
    for at in 0..8 {
        for round in 0..4 {
            let line = format!("{} + 1", 1000 * (at + 1) + round);
            assert_eq!(lines.lines().filter(|one| *one == line).count(), 1, "{line}: {lines}");
        }
    }
    for shell in shells {
        assert_eq!(shell.leaves().code(), Some(0));
    }
}

#[test]
fn ctrl_c_at_any_moment_leaves_the_shell_as_it_was() {
    let server = Sandbox::of_many(300, "");
    let shell = Terminal::of(orysh(&server));
    shell.shows(&server.admin);
    let lines = [
        "clients::list().to_array().len()\r",
        "list clients --page-size 50 -q | sort > /dev/null\r",
        "let x = [1,\r",
        "loop { }\r",
        "sleep(5)\r",
        "get oauth2-client c00",
        "create oauth2-client\r",
        "version; version\r",
    ];
    // A simple generator: the moments are others each time, and the same in each run.
    let mut seed = 0x2545_f491_u64;
    for round in 0..500_usize {
        shell.press(lines[round % lines.len()]);
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(std::time::Duration::from_micros((seed >> 33) % 12_000));
        shell.press("\u{3}");
        if round % 50 == 49 {
            shell.until("a prompt", |screen| {
                shell.press("\u{3}");
                screen.trim_end().ends_with('>')
            });
        }
    }
    shell.press("\u{3}\u{3}");
    std::thread::sleep(std::time::Duration::from_millis(300));
    shell.press("6 * 111\r");
    shell.shows("666");
    assert!(server.clients().len() == 300, "a form that was left has made nothing");
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn whatever_is_typed_the_shell_goes_on() {
    let shell = Terminal::of(anywhere().untimed());
    shell.shows("orysh sandbox>");
    // Bytes that are no text, controls, what terminals send by themselves.
    for bytes in [
        &b"\xff\xfe\xc0\x80"[..],
        b"\x00\x1f\x7f\x0b",
        b"\x1b[200;1~\x1b[?1;2c\x1b[99~",
        b"\x1bOZ\x1b[1;5C\x1b",
        b"\xe2\x82",
    ] {
        shell.press_bytes(bytes);
        shell.press("\u{3}");
        // What is typed ahead of Ctrl-C is taken back by it.
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    shell.types("6 * 111", "666");
    // A quote that is not ended is told, or goes on until a blank line.
    shell.types("get oauth2-client \"abc", "a quote is open");
    shell.answers("let t = \"abc", "between backticks");
    // Lines that are pasted are one text until Enter is pressed.
    shell.press("\u{1b}[200~6 *\n112\u{1b}[201~");
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert!(!shell.contents().contains("672"), "{}", shell.contents());
    shell.press("\r");
    shell.shows("672");
    shell.types("6 * 113", "678");
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn a_line_of_a_megabyte_is_taken_or_refused_and_the_shell_goes_on() {
    // Off a terminal it is done.
    let long = format!("let t = \"{}\"; t.len()\n6 * 111\n", "x".repeat(100_000));
    assert_eq!(anywhere().run_with("--sandbox", &long).ok().stdout, "100000\n666\n");
    let longer = format!("let t = \"{}\"; t.len()\n", "x".repeat(1_000_000));
    anywhere().run_with("--sandbox", &longer).fails(2, "longer than 128 KiB");
    let shell = Terminal::of(anywhere().untimed());
    shell.shows("orysh sandbox>");
    // What is pasted comes as fast as the terminal takes it.
    shell.press(&format!("\u{1b}[200~1 + {}\u{1b}[201~", "1".repeat(1_000_000)));
    shell.press("\u{3}");
    shell.until("the prompt below it", |screen| {
        screen.contains("1111") && screen.trim_end().ends_with("orysh sandbox>")
    });
    shell.types("6 * 112", "672");
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn a_terminal_may_be_of_any_size_and_of_another_in_the_middle() {
    let shell = Terminal::of(anywhere().untimed());
    shell.shows("orysh sandbox>");
    shell.press("create oauth2-client --name abc --id re");
    for size in [(24, 80), (10, 20), (3, 10), (60, 200), (24, 40), (40, 120)] {
        shell.resize(size);
        shell.press("s");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    shell.answers("", "CLIENT SECRET");
    let running = "for n in 0..40 { print(n); sleep(0.02) } 777";
    shell.press(&format!("{running}\r"));
    for size in [(24, 80), (5, 30), (40, 120)] {
        shell.resize(size);
        std::thread::sleep(std::time::Duration::from_millis(150));
    }
    shell.shows("777");
    shell.types("list oauth2-clients -q", "ressssss");
    assert_eq!(shell.leaves().code(), Some(0));
    // Without a size it has 80 columns; a dumb one gets lines and nothing else.
    for (size, term) in [((0, 0), "xterm"), ((40, 120), "dumb"), ((1, 1), "xterm")] {
        let program = anywhere().untimed().with("COLUMNS", "");
        let mut shell = Terminal::on(program, &[], size, term);
        shell.settles_raw(">");
        shell.press("6 * 111\r");
        shell.settles_raw("666");
        shell.press("exit\r");
        assert_eq!(shell.ended().code(), Some(0), "{term}");
    }
}

#[test]
fn what_a_server_says_moves_no_cursor() {
    let name = "a\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}b\u{9b}31m";
    let server = Sandbox::holding(&[json!({"client_id": "app", "client_name": name})], "");
    let shell = Terminal::of(orysh(&server).untimed());
    shell.types("let kept = 6660 + 6;", ">");
    shell.types("get oauth2-client app --format jsonpath=client_name", "b");
    shell.types("clients::get(\"app\").client_name", "b");
    shell.press("get oauth2-client \t\t");
    std::thread::sleep(std::time::Duration::from_millis(800));
    shell.press("\t");
    std::thread::sleep(std::time::Duration::from_millis(300));
    // It stands there still: nothing has cleared the screen.
    assert!(shell.contents().contains("let kept"), "{}", shell.contents());
    shell.press("\u{3}");
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn a_history_or_an_rc_file_that_is_broken_keeps_no_shell_from_starting() {
    let server = Sandbox::start();
    let program = orysh(&server).untimed();
    Terminal::of(program.same_home()).leaves();
    let shell = Terminal::of(program.same_home());
    shell.types("6 * 111", "666");
    shell.leaves();
    let folder = program.home().join("state/history");
    let file = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    for broken in [b"\xff\xfe\x00garbage\n\n\n6 * 111\n".to_vec(), Vec::new(), vec![b'x'; 300_000]] {
        fs::write(&file, broken).unwrap();
        let shell = Terminal::of(program.same_home());
        shell.types("6 * 112", "672");
        assert_eq!(shell.leaves().code(), Some(0));
    }
    // Not ours, or no file at all.
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let shell = Terminal::of(program.same_home());
    shell.types("6 * 113", "678");
    assert_eq!(shell.leaves().code(), Some(0));
    program.file("config/shell.rhai", "let a = ;");
    let shell = Terminal::of(program.same_home());
    shell.types("6 * 114", "684");
    assert_eq!(shell.leaves().code(), Some(0));
}

/// What is looked for everywhere.
const CANARY: &str = "canary-7f3a-of-the-shell";

#[test]
fn a_secret_that_comes_in_by_any_way_is_in_no_history_and_no_log() {
    let server = Sandbox::start();
    let program = orysh(&server).untimed().with("EDITOR", "sh ed.sh");
    program.file("ed.sh", &format!("#!/bin/sh\necho 'client_secret: {CANARY}' >> \"$1\"\n"));
    program.file("secret.txt", CANARY);
    program.file("client.json", &format!("{{\"client_id\": \"f\", \"client_secret\": \"{CANARY}\"}}"));
    program.run("create client --id e --token-endpoint-auth-method client_secret_post --secret other-secret-1").ok();
    let shell = Terminal::of(program.same_home());
    for line in [
        format!("create client --id a --secret {CANARY} -q"),
        format!("create client --id b '--secret={CANARY}' -q"),
        "create client --id c --secret-file secret.txt -q".to_owned(),
        "create client --file client.json -q".to_owned(),
        format!("clients::create(#{{client_id: \"d\", client_secret: \"{CANARY}\"}});"),
        format!("let secret = \"{CANARY}\".to_secret();"),
        format!("let s = \"{CANARY}\"; s.to_secret()"),
        format!(" let hidden = \"{CANARY}\";"),
        format!("token introspect {CANARY}"),
        format!("clients::update(\"e\", #{{client_secret: \"{CANARY}\"}}); nofunc()"),
        format!("update client e --secret {CANARY} --nmae x"),
        format!("eval 'print(\"{CANARY}\".to_secret())'"),
        format!("rotate secret e --secret @{CANARY} -q"),
        format!("batch update q1 --set client_secret=/{CANARY} --yes"),
        format!("batch update q1 --set 'client_secret=(#{CANARY}' --yes"),
        format!("version | true 'client_secret=/{CANARY}'"),
        format!("let api_key = \"${CANARY}\";"),
        format!("let client_secret = \"(@{CANARY}\";"),
    ] {
        shell.answers(&line, ">");
        shell.until("a prompt", |screen| screen.trim_end().ends_with('>'));
    }
    shell.press("let typed = ui::password(\"it\");\r");
    shell.shows("it:");
    shell.press(&format!("{CANARY}\r"));
    shell.until("a prompt", |screen| screen.trim_end().ends_with('>'));
    let history = shell.answers("history", "TEXT");
    let below = history.rsplit_once("TEXT").map_or("", |(_, below)| below).to_owned();
    assert!(!below.contains(CANARY) && below.contains("client.json"), "{history}");
    // Up brings none of them back.
    for _ in 0..20 {
        shell.press("\u{1b}[A");
    }
    std::thread::sleep(std::time::Duration::from_millis(200));
    let line = shell.contents().lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned();
    assert!(!line.contains(CANARY), "{line}");
    shell.press("\u{3}");
    assert_eq!(shell.leaves().code(), Some(0));
    // Kept secrets, the files above and the sandbox's clients are where they belong.
    for (path, text) in files_below(program.home()) {
        let shown = path.display().to_string();
        let is_own = shown.contains("/state/pending/")
            || ["ed.sh", "secret.txt", "client.json"].iter().any(|own| shown.ends_with(own));
        assert!(is_own || !holds(&text, CANARY), "{shown}");
    }
}

#[test]
fn what_is_pasted_behind_a_command_that_reads_unseen_is_in_no_history() {
    let program = anywhere().untimed();
    program.run("profile add pp --endpoint http://127.0.0.1:1 --credential file").ok();
    let shell = Terminal::of(program.same_home());
    shell.shows("orysh pp>");
    shell.press(&format!("\u{1b}[200~auth key set --profile pp\n{CANARY}\nprint(1)\u{1b}[201~\r"));
    shell.shows("kept nowhere");
    shell.shows("key: ");
    shell.press("\u{3}");
    shell.types("6 * 111", "666");
    assert_eq!(shell.leaves().code(), Some(0));
    for (path, text) in files_below(program.home()) {
        assert!(!holds(&text, CANARY), "{}", path.display());
    }
}

#[test]
fn what_is_typed_ahead_for_a_secret_that_is_not_asked_for_is_in_no_history() {
    let program = anywhere().untimed();
    program.file("a.rhai", "throw \"not today\"");
    let shell = Terminal::of(program.same_home());
    shell.shows("orysh sandbox>");
    shell.press(&format!("auth key set --profile nobody\r{CANARY}\r70 + 7\r"));
    shell.until("the last line", |screen| screen.lines().any(|line| line.trim() == "77"));
    shell.press(&format!("\u{1b}[200~run a.rhai\n{CANARY}\u{1b}[201~\r"));
    shell.shows("not today");
    shell.types("6 * 111", "666");
    assert_eq!(shell.leaves().code(), Some(0));
    let lines = fs::read_to_string(program.home().join("state/history/sandbox")).unwrap();
    assert!(lines.contains("auth key set") && lines.contains("6 * 111"), "{lines}");
    for (path, text) in files_below(program.home()) {
        assert!(!holds(&text, CANARY), "{}", path.display());
    }
}

#[test]
fn what_was_to_be_asked_for_is_in_no_history_however_late_it_is_typed() {
    let program = anywhere().untimed();
    for (number, asker) in [
        "auth key set --profile nobody",
        "auth key set --profile nobody; version",
        "auth key sett --profile nobody",
        "create oauth2-client --secret-stdn",
        "ui::pasword(\"which\")",
    ]
    .into_iter()
    .enumerate()
    {
        let shell = Terminal::sized(program.same_home(), &[], (60, 160));
        shell.shows("orysh sandbox>");
        shell.types(asker, "sandbox>");
        shell.press("\r");
        shell.types("get oauth2-client absent", "HTTP 404");
        shell.types(&format!("{CANARY} "), "Undefined variable");
        shell.types(&format!("\"{CANARY}\""), "kept nowhere");
        // One that works is followed by lines as they always are.
        shell.types(&format!("600 + {number}"), &format!("60{number}"));
        assert_eq!(shell.leaves().code(), Some(0));
    }
    let lines = fs::read_to_string(program.home().join("state/history/sandbox")).unwrap();
    assert!(["get oauth2-client absent", "600 + 4"].iter().all(|line| lines.contains(line)), "{lines}");
    for (path, text) in files_below(program.home()) {
        assert!(!holds(&text, CANARY), "{}", path.display());
    }
}

#[test]
fn a_shell_that_is_to_end_does_not_wait_for_programs() {
    let server = Sandbox::of_many(300, "");
    for signal in [Signal::TERM, Signal::HUP] {
        for (line, with) in [
            ("version | sleep 47", ""),
            ("list clients | sleep 47", ""),
            ("list clients", "sleep 47"),
            ("edit c001", "sleep 47;:"),
        ] {
            let program = orysh(&server).with("PAGER", with).with("EDITOR", with).untimed();
            let mut shell = Terminal::of(program);
            shell.until("a prompt", |screen| screen.trim_end().ends_with('>'));
            shell.press(&format!("{line}\r"));
            std::thread::sleep(std::time::Duration::from_millis(500));
            let began = std::time::Instant::now();
            shell.signal(signal);
            assert_eq!(shell.ended().code(), Some(130), "{line}");
            assert!(began.elapsed().as_secs() < 4, "{line}: {:?}", began.elapsed());
            assert!(shell.is_as_usual(), "{line}");
        }
    }
}

#[test]
fn a_shell_that_is_killed_loses_no_line_but_the_last_and_leaves_no_broken_file() {
    let server = Sandbox::start();
    let program = orysh(&server).untimed();
    let mut done = Vec::new();
    for round in 0..12_usize {
        let mut shell = Terminal::of(program.same_home());
        shell.until("a prompt", |screen| screen.trim_end().ends_with('>'));
        for n in 0..3 {
            let line = format!("{round}{n} + 0");
            shell.types(&line, &format!("{}", round * 10 + n));
            done.push(line);
        }
        // At another moment each time: as it reads a line, as it does one, as it writes one down.
        shell.press(["create client -q\r", "never", "sleep(5)\r", "9 + 9\r", "list clients\r", "history\r"][round % 6]);
        std::thread::sleep(std::time::Duration::from_millis(3 * round as u64));
        shell.kill();
    }
    let shell = Terminal::of(program.same_home());
    shell.types("history > all.txt; version > version.txt", ">");
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert!(program.home().join("version.txt").exists(), "{}", shell.contents());
    let all = fs::read_to_string(program.home().join("all.txt")).unwrap();
    for line in done {
        assert!(all.lines().any(|told| told.ends_with(&line)), "{line}: {all}");
    }
    assert!(!all.contains("never"), "{all}");
    assert_eq!(shell.leaves().code(), Some(0));
    // Whatever was being made then is there once, or its secret is kept.
    program.run("batch list").ok();
}

#[test]
fn lines_that_are_pasted_together_are_done_one_by_one_until_one_fails() {
    let server = Sandbox::start();
    let program = orysh(&server).untimed();
    for id in ["c", "d", "e"] {
        program.run(&format!("create client --id {id} -q")).ok();
    }
    let shell = Terminal::of(program);
    shell.until("a prompt", |screen| screen.trim_end().ends_with('>'));
    shell.press("\u{1b}[200~# two\ndelete client c --yes\nget client d --format jsonpath=client_id\u{1b}[201~\r");
    shell.until("the second line", |screen| screen.lines().any(|line| line.trim() == "d"));
    assert_eq!(server.clients().len(), 2);
    shell.press("\u{1b}[200~get client nosuch\ndelete client d --yes\u{1b}[201~\r");
    shell.shows("the line behind it: not done");
    assert_eq!(server.clients().len(), 2);
    shell.press("\u{1b}[200~let z = 40\nz + 2\u{1b}[201~\r");
    shell.until("Rhai", |screen| screen.lines().any(|line| line.trim() == "42"));
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn the_last_line_is_that_of_this_shell() {
    let server = Sandbox::start();
    let program = orysh(&server).untimed().with("EDITOR", "true");
    let other = program.same_home();
    let shell = Terminal::of(program);
    shell.until("a prompt", |screen| screen.trim_end().ends_with('>'));
    shell.types("!!", "no line was typed in this shell");
    shell.types("40 + 1", "41");
    let second = Terminal::of(other);
    second.until("a prompt", |screen| screen.trim_end().ends_with('>'));
    second.types("create client --id theirs -q", "theirs");
    assert_eq!(second.leaves().code(), Some(0));
    // Its lines are there by the next prompt.
    shell.types("40 + 3", "43");
    shell.types("!!", "43");
    assert_eq!(server.clients().len(), 1);
    // What is not kept is not done again, nor what stands before it.
    shell.types("let secret = \"abc\".to_secret();", "kept nowhere");
    shell.types("!!", "is not kept");
    // A line that is not changed in the editor is not done.
    shell.types("create client --id twice -q", "twice");
    shell.types("edit", "nothing was changed");
    assert_eq!(server.clients().len(), 2);
    shell.types("!nosuch", "no line begins with `nosuch`");
    shell.types("let on = false", "orysh");
    shell.types("!on", "true");
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn a_line_says_what_came_of_it_and_where_it_stands() {
    let program = anywhere();
    program.file("one.txt", "version\n\nget client nosuch\n");
    let lines = |text: &str, flags: &str| anywhere().input(text).run(&format!("--sandbox {flags}"));
    let ran = lines("1 + 1\nget client no1\nget client no2\n", "--keep-going");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), "2\n"), "{ran}");
    assert!(ran.stderr.contains("line 2: cannot get") && ran.stderr.contains("line 3: cannot get"), "{ran}");
    let ran = program.input("load one.txt\n").run("--sandbox").tells("one.txt, line 3: cannot get client `nosuch`");
    assert_eq!(ran.code, Some(1), "{ran}");
    // A list without rows is one, and a list of one row as well.
    lines("create client --id a -q\nget client a -q\nlist clients --owner none -q\nit.len()\n", "").ok().tells("");
    assert!(
        lines("create client --id a -q\nlist clients --owner none -q\nit.len()\n", "").ok().stdout.ends_with("0\n")
    );
    assert!(lines("create client --id a -q\nlist clients -q\nit[0].client_id\n", "").ok().stdout.ends_with("a\n"));
    // Operators need no spaces, and a program gets values as they are.
    assert_eq!(lines("version|grep -c 0.1\n", "").ok().stdout.trim(), "1");
    let said = lines("let v = \"a b;c\";\nversion | echo \"${v}\" '${v}' ${HOME:+home}\n", "").ok().stdout;
    assert_eq!(said.trim(), "a b;c ${v} home");
    assert!(lines("version && version|cat\n", "").ok().stdout.matches("0.1").count() >= 2);
    assert!(lines("version # trailing \\\nversion\n", "").ok().stdout.matches("0.1").count() >= 2);
    lines("let x = [1];\nx > out.txt\n", "").fails(2, "fs::write");
    assert!(lines("help clients::create\n", "").ok().stdout.contains("clients::create"));
    assert_eq!(lines("\u{feff}40 + 2\n", "").ok().stdout, "42\n");
    let ran = anywhere().input("").run("--sandbox");
    ran.ok();
}

#[test]
fn undo_takes_back_what_was_applied_imported_and_made_by_a_script() {
    let server = Sandbox::start();
    let program = orysh(&server).untimed();
    program.run("create client --id old --owner before -q").ok();
    program.file("c.yaml", "- client_id: old\n  owner: after\n- client_id: new\n  client_name: n\n");
    program.file("im.json", r#"[{"client_id": "imported", "client_name": "i"}]"#);
    let undone = |line: &str| {
        let ran = program.same_home().input(&format!("{line}\nundo\n")).run("");
        ran.ok();
        let ids: Vec<String> =
            server.clients().iter().map(|client| client["client_id"].as_str().unwrap().to_owned()).collect();
        (ids, server.client("old")["owner"].clone())
    };
    let before = (vec!["old".to_owned()], serde_json::json!("before"));
    assert_eq!(undone("apply -f c.yaml --yes -q"), before);
    assert_eq!(undone("import oauth2-clients im.json -q"), before);
    assert_eq!(undone("clients::create_all([#{client_name: \"x\"}, #{client_name: \"y\"}]).len()"), before);
    let gone =
        program.same_home().input("create client --id t -q\ndelete client t --yes\nundo\nundo\n").run("--keep-going");
    assert_eq!(gone.code, Some(3), "{gone}");
    gone.tells("cannot be undone").tells("`undo` once more");
}

#[test]
fn what_was_edited_is_a_line_and_a_map_no_comment() {
    let program = anywhere().untimed().with("EDITOR", "sh ed.sh");
    program.file("ed.sh", "#!/bin/sh\nprintf '40 + 1\\nbogus line here\\n' > \"$1\"\n");
    let shell = Terminal::of(program);
    shell.types("version", "VERSION");
    shell.types("edit", "bogus");
    shell.types("!40", "41");
    shell.types("#{a: 42}.a", "42");
    shell.press("#{a: 1,\r");
    shell.press("b: 43}.b\r");
    shell.shows("43");
    shell.until("a prompt", |screen| screen.trim_end().ends_with('>'));
    shell.press("\u{1b}[200~if false {\n 1\n}\nelse {\n 44\n}\nversion\u{1b}[201~\r");
    shell.until("both", |screen| {
        screen.lines().any(|line| line.trim() == "44") && screen.matches("VERSION").count() >= 2
    });
    assert_eq!(shell.leaves().code(), Some(0));
    assert_eq!(anywhere().input("version \\\n\n40 + 2\n").run("--sandbox").ok().stdout.lines().last(), Some("42"));
}

#[test]
fn no_line_behind_another_goes_elsewhere_than_the_prompt_says() {
    let (one, other) = (Sandbox::start(), Sandbox::start());
    let program = anywhere().untimed();
    program.run(&format!("profile add one --endpoint {}", one.admin)).ok();
    program.run(&format!("profile add other --endpoint {}", other.admin)).ok();
    program.run("profile use one").ok();
    let file = program.home().join("config/config.toml");
    let text = fs::read_to_string(&file).unwrap();
    let moved = text.replace(one.admin.trim_end_matches('/'), "http://127.0.0.1:1");
    program.file("moved.toml", &moved);
    program.executable("move", "#!/bin/sh\ncat > /dev/null; cp moved.toml config/config.toml\n");
    let shell = Terminal::of(program);
    shell.shows("orysh one>");
    shell.press("\u{1b}[200~version | ./move\ncreate client --id a -q\u{1b}[201~\r");
    shell.shows("it was not done");
    fs::write(&file, &text).unwrap();
    shell.types("40 + 2", "it was not done");
    shell.types("use profile other -q; create client --id b -q", "orysh other>");
    shell.until("the client", |_| other.clients().len() == 1);
    assert_eq!(one.clients().len(), 0);
    assert_eq!(shell.leaves().code(), Some(0));
}
