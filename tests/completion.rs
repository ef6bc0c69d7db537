//! Completion, by the shells themselves.

use crate::support::{Orysh, PROGRAM, anywhere, tools};

/// A home in which `orysh` is found, and a script that declares something.
fn ready() -> Orysh {
    let program = anywhere();
    std::fs::create_dir(program.home().join("bin")).unwrap();
    std::os::unix::fs::symlink(PROGRAM, program.home().join("bin/orysh")).unwrap();
    program.file("jobs/s.rhai", "//! @arg kind: web|job\n//! @arg --count: number = 1 How many\n");
    program
}

fn shell(program: &Orysh, shell: &str, script: &str) -> String {
    program.file("t", script);
    program.sh(&format!("PATH={}/bin:/usr/local/bin:/usr/bin:/bin {shell} t", program.home().display())).stdout
}

#[test]
fn bash_completes() {
    let program = ready();
    let told = shell(
        &program,
        "bash",
        r#"source <(orysh completion bash)
try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _orysh; echo "${COMPREPLY[*]}"; }
try orysh create oauth2-cl
try orysh run jobs/s.rhai --c
try orysh run jobs/s.rhai ''
try orysh run jo
"#,
    );
    assert_eq!(told, "oauth2-client\n--count\njob web\njobs\n");
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
