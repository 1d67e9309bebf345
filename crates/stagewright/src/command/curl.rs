//! `curl` and `wget`: a file, or bytes for the next command, of a size that only the build knows.

use super::{Invocation, Machine, Model};
use crate::kind;
use crate::size::Kind;

pub(super) const MODEL: Model = Model {
    programs: &["curl", "wget", "aria2c", "axel"],
    run,
};

/// Options with a value behind them, of both programs where they mean the same or nothing in the other.
const CURL: &[&str] = &[
    "-o",
    "--output",
    "-H",
    "--header",
    "-d",
    "--data",
    "--data-raw",
    "-X",
    "--request",
    "-u",
    "--user",
    "-A",
    "--user-agent",
    "--retry",
    "--retry-delay",
    "--retry-max-time",
    "-m",
    "--max-time",
    "--connect-timeout",
    "-x",
    "--proxy",
    "--cacert",
    "-b",
    "--cookie",
    "-c",
    "--cookie-jar",
    "-e",
    "--referer",
    "--output-dir",
    "-T",
    "--upload-file",
    "-w",
    "--write-out",
    "--proto",
    "-C",
    "--continue-at",
    "-F",
    "--url",
    "-Y",
    "-y",
    "-r",
    "--range",
    "--resolve",
    "--limit-rate",
];
const WGET: &[&str] = &[
    "-O",
    "--output-document",
    "-P",
    "--directory-prefix",
    "-t",
    "--tries",
    "-T",
    "--timeout",
    "-U",
    "--user-agent",
    "--header",
    "-o",
    "--output-file",
    "-a",
    "-w",
    "--wait",
    "-A",
    "--accept",
    "-R",
    "--reject",
    "-l",
    "--level",
    "-e",
    "-i",
    "--user",
    "--password",
    "--waitretry",
    "--post-data",
    "--progress",
];

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    let wget = invocation.program != "curl";
    if invocation.has(&["--version", "--help", "-V", "--spider", "-I", "--head"]) {
        return;
    }
    let valued = if wget { WGET } else { CURL };
    // The first operand stands where other tools have their sub-command.
    let urls: Vec<Option<String>> = std::iter::once(invocation.command(valued))
        .chain(invocation.operands_after(valued))
        .collect();
    let last = urls.iter().flatten().next_back().map(String::as_str);
    let name = last.map_or("download", file_name).to_owned();
    let size = machine.guess(|guess| &guess.download);
    let outputs = named(invocation, if wget { 'O' } else { 'o' });
    let folder = invocation
        .option(if wget {
            &["-P", "--directory-prefix"]
        } else {
            &["--output-dir"]
        })
        .unwrap_or_else(|| ".".into());
    match outputs.as_slice() {
        [] if !wget && !remote_name(invocation) => machine.output = Some(size),
        [] => {
            let one = usize::from(urls.iter().flatten().count() == 0);
            for url in urls
                .iter()
                .flatten()
                .map(|url| file_name(url))
                .chain(std::iter::repeat_n(&*name, one))
            {
                let path = format!("{}/{url}", folder.trim_end_matches('/'));
                machine.put_file(&path, kind::of_path(&path), size.clone());
            }
        }
        outputs => {
            for output in outputs {
                match output.as_deref() {
                    Some("-") => machine.output = Some(size.clone()),
                    Some("/dev/null") => {}
                    Some(path) => {
                        let path = if wget || path.starts_with('/') {
                            path.to_owned()
                        } else {
                            format!("{}/{path}", folder.trim_end_matches('/'))
                        };
                        machine.put_file(&path, kind::of_path(&path), size.clone());
                    }
                    None => machine.scatter(
                        ".",
                        &name,
                        format!("download {name}"),
                        Kind::Other,
                        size.clone(),
                    ),
                }
            }
        }
    }
}

/// The files that an option names, also at the end of a cluster such as `-fsSLo`; `None` where only the build knows the name.
fn named(invocation: &Invocation, letter: char) -> Vec<Option<String>> {
    let long = if letter == 'O' {
        "--output-document"
    } else {
        "--output"
    };
    let mut files = Vec::new();
    let mut args = invocation.args.iter();
    while let Some(arg) = args.next() {
        let Some(arg) = arg.as_deref() else { continue };
        if let Some(value) = arg
            .strip_prefix(long)
            .and_then(|rest| rest.strip_prefix('='))
        {
            files.push(Some(value.to_owned()));
        } else if arg == long {
            files.push(args.next().cloned().flatten());
        } else if arg.starts_with('-')
            && !arg.starts_with("--")
            && let Some((flags, value)) = arg[1..].split_once(letter)
            && flags.bytes().all(|flag| flag.is_ascii_alphabetic())
            // `-H…o` and the like: the letter is part of another option's value.
            && !flags.contains(['H', 'd', 'X', 'u', 'A', 'm', 'e', 'P', 't', 'U', 'T'])
        {
            if value.is_empty() {
                files.push(args.next().cloned().flatten());
            } else {
                files.push(Some(value.to_owned()));
            }
        }
    }
    files
}

/// `curl -O`, also in a cluster.
fn remote_name(invocation: &Invocation) -> bool {
    invocation.has(&["-O", "--remote-name", "--remote-name-all"])
}

/// The last part of an address, without query.
fn file_name(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    match path.trim_end_matches('/').rsplit_once('/') {
        Some((_, name)) => name,
        None => "index.html",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_addresses() {
        assert_eq!(file_name("https://x.org/a/b.tgz?raw=1"), "b.tgz");
        assert_eq!(file_name("https://x.org/"), "index.html");
        assert_eq!(file_name("x.org/a"), "a");
    }
}
