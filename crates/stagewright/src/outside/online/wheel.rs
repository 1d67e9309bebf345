//! What lies in a wheel, from its directory alone.

use super::http::{Answer, Client, Question, Range};
use super::zip::{self, Entry};
use super::{OnlineError, address::Address};
use crate::facts::WheelContents;

/// Enough of the end of most wheels to hold their directory and their metadata.
const TAIL: u64 = 64 << 10;
/// The most of a wheel's metadata that is read.
const METADATA: u64 = 8 << 20;

/// What was read of a wheel.
pub(super) struct Wheel {
    pub(super) bytes: u64,
    pub(super) contents: WheelContents,
    pub(super) requires: Option<Vec<String>>,
}

/// A part of an archive, and how long the archive is.
struct Piece {
    bytes: Vec<u8>,
    start: u64,
    whole: u64,
}

/// Reads the directory of a wheel, and its metadata. Where the host gives no parts, the whole file is read, if it is not larger than
/// `most`.
pub(super) fn read(
    client: &Client,
    address: &Address,
    what: &str,
    most: u64,
) -> Result<Wheel, OnlineError> {
    let question = Question::new(address.clone(), what, most);
    let tail = piece(client, &question, Range::Last(TAIL))?;
    let whole = tail.whole;
    let place = zip::place(&tail.bytes, whole).map_err(|why| question.nonsense(why))?;
    let directory = part(client, &question, &tail, place.offset, place.bytes)?;
    let entries = zip::entries(&directory, place, whole).map_err(|why| question.nonsense(why))?;
    let is_metadata = |entry: &&Entry| {
        let mut parts = entry.name.split('/');
        parts
            .next()
            .is_some_and(|folder| folder.ends_with(".dist-info"))
            && parts.next() == Some("METADATA")
            && parts.next().is_none()
    };
    let requires = match entries.iter().find(is_metadata) {
        Some(entry) if entry.compressed <= METADATA => {
            // Its own header may have other extra fields than the directory's: they are rarely longer than this.
            let length = entry.compressed + 30 + entry.name.len() as u64 + 1024;
            let length = length.min(whole.saturating_sub(entry.offset));
            let bytes = part(client, &question, &tail, entry.offset, length)?;
            zip::content(entry, &bytes, METADATA).map(|content| requires(&content))
        }
        _ => None,
    };
    Ok(Wheel {
        bytes: whole,
        contents: contents(&entries),
        requires,
    })
}

fn part(
    client: &Client,
    question: &Question<'_>,
    tail: &Piece,
    offset: u64,
    bytes: u64,
) -> Result<Vec<u8>, OnlineError> {
    let cut = |piece: &Piece| {
        let from = usize::try_from(offset.checked_sub(piece.start)?).ok()?;
        let to = from.checked_add(usize::try_from(bytes).ok()?)?;
        piece.bytes.get(from..to).map(<[u8]>::to_vec)
    };
    if let Some(part) = cut(tail) {
        return Ok(part);
    }
    let end = offset.saturating_add(bytes);
    let piece = piece(client, question, Range::Bytes(offset, end))?;
    if piece.whole != tail.whole {
        return Err(question.nonsense("it has another length each time"));
    }
    cut(&piece).ok_or_else(|| question.nonsense("another part came than was asked for"))
}

fn piece(client: &Client, question: &Question<'_>, range: Range) -> Result<Piece, OnlineError> {
    let ranged = Question {
        range: Some(range),
        ..question.clone()
    };
    let asked = client.ask(&ranged, |answer| match (answer.status, answer.part()) {
        (206, Some((first, last, whole))) => {
            let bytes = answer.bytes(&ranged)?;
            if bytes.len() as u64 != last - first + 1 {
                return Err(ranged.nonsense("a part of it has another length than it says"));
            }
            Ok(Some(Piece {
                bytes,
                start: first,
                whole,
            }))
        }
        (200, _) => all(answer, question).map(Some),
        // Some hosts refuse parts altogether, or the last bytes of a file that has fewer.
        (400 | 405 | 416 | 501, _) => Ok(None),
        (206, None) => Err(ranged.nonsense("it does not say which part of it came")),
        (status, _) => Err(ranged.refused(status)),
    })?;
    match asked {
        Some(piece) => Ok(piece),
        None => client.ask(question, |answer| match answer.status {
            200 => all(answer, question),
            status => Err(question.refused(status)),
        }),
    }
}

fn all(answer: &mut Answer<'_>, question: &Question<'_>) -> Result<Piece, OnlineError> {
    let bytes = answer.bytes(question)?;
    Ok(Piece {
        start: 0,
        whole: bytes.len() as u64,
        bytes,
    })
}

/// The lines `Requires-Dist` of a wheel's metadata (core metadata specification).
pub(super) fn requires(metadata: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(metadata);
    let head = text.lines().take_while(|line| !line.is_empty());
    let values = head.filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("requires-dist")
            .then(|| value.trim().to_owned())
    });
    values.collect()
}

/// What the files of a wheel are, told as the measured packages of the catalogue were (`measure_python.py`).
fn contents(entries: &[Entry]) -> WheelContents {
    const WEB: [&str; 17] = [
        "js", "css", "map", "html", "scss", "less", "svg", "png", "gif", "jpg", "ico", "ttf",
        "woff", "woff2", "eot", "otf", "swf",
    ];
    const DOCS: [&str; 4] = ["md", "rst", "txt", "pdf"];
    let mut sum = WheelContents::default();
    for entry in entries.iter().filter(|entry| !entry.name.ends_with('/')) {
        let (folders, name) = entry.name.rsplit_once('/').unwrap_or(("", &entry.name));
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let extension = extension.to_ascii_lowercase();
        let bytes = entry.bytes;
        if extension == "pyc" {
            continue;
        }
        let within = |names: [&str; 2]| folders.split('/').any(|folder| names.contains(&folder));
        let (tests, docs) = (within(["test", "tests"]), within(["doc", "docs"]));
        let add = |to: &mut u64| *to = to.saturating_add(bytes);
        add(&mut sum.installed);
        sum.files += 1;
        if tests {
            add(&mut sum.tests);
        }
        if extension == "py" {
            add(&mut sum.source);
            if tests {
                add(&mut sum.test_source);
            }
        } else if extension == "so" || name.contains(".so.") {
            add(&mut sum.native);
        } else if WEB.contains(&&*extension) {
            add(&mut sum.web);
        } else if !folders
            .split('/')
            .next()
            .is_some_and(|first| first.ends_with(".dist-info"))
            && (DOCS.contains(&&*extension) || docs)
        {
            add(&mut sum.docs);
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_package_needs() {
        let metadata = b"Metadata-Version: 2.1\nName: a\nRequires-Dist: b (>=1)\nrequires-dist: c ; extra == 'x'\n\nRequires-Dist: none\n";
        assert_eq!(requires(metadata), ["b (>=1)", "c ; extra == 'x'"]);
    }

    #[test]
    fn kinds_of_files() {
        let file = |name: &str, bytes| Entry {
            name: name.to_owned(),
            method: 0,
            compressed: bytes,
            bytes,
            offset: 0,
        };
        let sum = contents(&[
            file("a/", 0),
            file("a/__init__.py", 1),
            file("a/tests/test_a.py", 20),
            file("a/lib.cpython-312-x86_64-linux-gnu.so", 300),
            file("a.libs/libz-1.so.1.2", 4000),
            file("a/static/app.js", 50_000),
            file("a/docs/index", 600_000),
            file("a-1.dist-info/LICENSE.txt", 7_000_000),
            file("a/__init__.cpython-312.pyc", 9_999_999),
        ]);
        assert_eq!(
            sum,
            WheelContents {
                installed: 7_654_321,
                source: 21,
                native: 4300,
                web: 50_000,
                docs: 600_000,
                tests: 20,
                test_source: 20,
                files: 7,
            }
        );
    }
}
