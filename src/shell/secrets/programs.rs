//! Programs that are given a secret.

use super::names::{In, is_elsewhere, is_end, names_secret};

/// Flags by which programs are given a secret, some of them with nothing between.
const OF_PROGRAMS: [(&[&str], &[&str], bool); 8] = [
    (&["sshpass"], &["-p"], true),
    (&["openssl"], &["-k", "-K"], false),
    (&["http", "https", "xh", "xhs"], &["-a", "--auth"], false),
    (&["redis-cli"], &["-a"], false),
    // Of docker and its like.
    (&["login"], &["-p"], true),
    (&["zip", "unzip"], &["-P"], true),
    (&["7z", "7za", "7zr", "7zz"], &["-p"], true),
    (&["ldapadd", "ldapdelete", "ldapmodify", "ldappasswd", "ldapsearch", "ldapwhoami"], &["-w"], true),
];

/// Flags by which programs are given a user with a password, and what stands between the two.
const OF_USERS: [(&str, &[char]); 4] =
    [("--user", &[':']), ("--proxy-user", &[':']), ("-u", &[':']), ("-U", &[':', '%'])];

/// Letters of curl with a value: what stands behind one of them is no letter.
const WITH_VALUE: &str = "AbcCdDeEFhHKmoPQrtTwxXyYz";

/// Whether a word and the next one are such a flag and a user with a password, be it among other letters of curl.
fn gives_user(program: &str, word: &str, next: Option<&str>) -> bool {
    OF_USERS.iter().any(|(flag, between)| {
        let letter = flag.strip_prefix('-').filter(|letter| letter.len() == 1);
        let glued = match letter {
            Some(letter) if program == "curl" && !word.starts_with("--") => word
                .strip_prefix('-')
                .and_then(|letters| letters.split_once(letter))
                .filter(|(letters, _)| !letters.contains(|c| WITH_VALUE.contains(c)))
                .map(|(_, user)| user),
            _ => word.strip_prefix(flag),
        };
        let user = glued.and_then(|user| if user.is_empty() { next } else { Some(user) });
        user.is_some_and(|user| user.contains(*between))
    })
}

/// Programs that take a header as `Name:value`.
const OF_HEADERS: [&str; 4] = ["http", "https", "xh", "xhs"];

/// What stands in front of a program, as variables do.
const BEFORE: [&str; 5] = ["env", "exec", "sudo", "time", "xargs"];

/// What stands between two programs.
const BETWEEN: [&str; 5] = ["|", "||", "&&", ";", "&"];

/// Flags of curl behind which `name=@file` is what stands in a file, in small letters.
const OF_FILES: [&str; 6] = ["-d", "--data", "--data-binary", "--data-urlencode", "-f", "--form"];

/// Whether the value that begins there in a line of a program is none yet: `sh` puts that of a variable in its place, or curl what
/// stands in a file. The line is in small letters.
pub(super) fn is_read(line: &str, at: usize) -> bool {
    let (before, value) = line.split_at(at);
    is_elsewhere(value, In::Program)
        || is_variable(value) && !before.ends_with('\\') && !is_verbatim(before)
        || value.starts_with('@') && is_of_file(before)
}

/// Whether a value is `$NAME` and no more.
fn is_variable(value: &str) -> bool {
    let name = value.strip_prefix('$').unwrap_or_default();
    let rest = name.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
    rest.len() < name.len() && is_end(rest)
}

/// Whether what follows stands between single quotes, where `sh` reads nothing.
fn is_verbatim(before: &str) -> bool {
    let (mut quote, mut characters) = (None, before.chars());
    while let Some(next) = characters.next() {
        match (quote, next) {
            (None | Some('"'), '\\') => drop(characters.next()),
            (None, '"' | '\'') => quote = Some(next),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    quote == Some('\'')
}

/// Whether what stands in front of a value is such a flag, and a name by itself: within JSON nothing is read.
fn is_of_file(before: &str) -> bool {
    let quotes = ['"', '\''];
    let mut words = before.split_whitespace().rev();
    let name = words.next().and_then(|word| word.trim_matches(quotes).strip_suffix('='));
    let is_name = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    name.is_some_and(|name| name.chars().all(is_name)) && words.next().is_some_and(|flag| OF_FILES.contains(&flag))
}

/// Whether a program is given a secret: `curl -u a:b`, `job --token x`.
pub(super) fn gives_secret(text: &str) -> bool {
    let is_plain = |word: &str| {
        let value = word.trim_start_matches(['"', '\'', '`']);
        let quotes = &word[..word.len() - value.len()];
        let is_variable = (is_variable(value) || value.starts_with("${")) && !quotes.contains('\'');
        // A file that the program is to read.
        let is_file = quotes.is_empty() && value.starts_with('<') && !value.starts_with("<<");
        // A secret may begin with a dash.
        !value.is_empty() && value != "-" && !value.starts_with("--") && !is_variable && !is_file
    };
    let mut words = text.split_whitespace().peekable();
    let mut program = None;
    while let Some(word) = words.next() {
        let Some(name) = program else {
            let is_before = word.contains('=') || word.starts_with('-') || BEFORE.contains(&word);
            program = (!is_before).then(|| word.rsplit('/').next().unwrap_or(word));
            continue;
        };
        if BETWEEN.contains(&word) {
            program = None;
            continue;
        }
        if word == "login" {
            program = Some(word);
        }
        let next = words.peek().copied().filter(|next| is_plain(next));
        let (flag, value) = word.split_once('=').map_or((word, next), |(flag, value)| (flag, Some(value)));
        let is_of_program = OF_PROGRAMS.iter().any(|(programs, flags, is_glued)| {
            let is_it =
                |of: &&str| *of == flag && value.is_some() || *is_glued && word.len() > 2 && word.starts_with(of);
            programs.contains(&name) && flags.iter().any(&is_it)
        });
        let header = word.split_once(':').filter(|_| OF_HEADERS.contains(&name));
        if is_of_program
            || gives_user(name, word, next)
            || word.strip_prefix("pass:").is_some_and(is_plain)
            || header.is_some_and(|(header, value)| names_secret(header) && is_plain(value))
            || flag.starts_with("--") && names_secret(flag) && value.is_some_and(is_plain)
        {
            return true;
        }
    }
    false
}
