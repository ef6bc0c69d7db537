//! Programs that are given a secret.

use super::names::names_secret;

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

/// Whether a program is given a secret: `curl -u a:b`, `job --token x`.
pub(super) fn gives_secret(text: &str) -> bool {
    let is_plain = |value: &str| {
        let value = value.trim_start_matches(['"', '\'', '`']);
        // A secret may begin with a dash.
        !value.is_empty() && value != "-" && !value.starts_with("--") && !value.starts_with(['@', '$', '<'])
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
