//! The package index that pip is configured to use: which file pip takes, and what lies in it.

use std::str::FromStr as _;

use pep440_rs::{Version, VersionSpecifiers};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::address::Address;
use super::http::Question;
use super::{Online, OnlineError, wheel};
use crate::facts::{FileKind, MeasuredPython, PythonNeed, file_rank, normalize_name};

/// The most bytes of an index's page on one project.
const PAGE: u64 = 64 << 20;

/// The forms in which an index answers (the simple repository API).
const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

/// A file that an index lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Listed {
    name: String,
    url: String,
    size: Option<u64>,
    requires_python: Option<String>,
    yanked: bool,
    uploaded: Option<String>,
    sha256: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    files: Vec<PageFile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct PageFile {
    filename: String,
    url: String,
    #[serde(default)]
    hashes: Value,
    requires_python: Option<String>,
    size: Option<u64>,
    upload_time: Option<String>,
    #[serde(default)]
    yanked: Value,
}

/// Answers a need of a Python package.
pub(super) fn answer(online: &Online, need: &PythonNeed) -> Result<MeasuredPython, OnlineError> {
    let indexes = online.indexes()?;
    let what = format!("the page of `{}`", need.name);
    let (mut listed, mut missing) = (Vec::new(), None);
    for index in indexes {
        let address = index.below(&format!("{}/", need.name));
        match list(online, &address, &what) {
            Ok(files) => listed.extend(files),
            Err(error @ OnlineError::NotFound { .. }) => missing = Some(error),
            Err(error) => return Err(error),
        }
    }
    let host = || {
        indexes
            .first()
            .map(|index| index.host.clone())
            .unwrap_or_default()
    };
    if listed.is_empty() {
        return Err(missing.unwrap_or_else(|| OnlineError::NoneFits {
            host: host(),
            what: format!("file of `{}`", need.name),
        }));
    }
    let (version, kind, file) = choose(need, &listed).ok_or_else(|| OnlineError::NoneFits {
        host: host(),
        what: format!("file of `{}`", asked(need)),
    })?;
    let address = Address::parse(&file.url)?;
    let key = format!(
        "wheel {} {}",
        address.shown(),
        file.sha256.as_deref().unwrap_or_default()
    );
    if let Some(measured) = online.cache.get(
        &key,
        file.sha256.is_none().then_some(online.settings.max_age),
    ) {
        return Ok(measured);
    }
    let mut measured = MeasuredPython {
        version,
        file: file.name.clone(),
        download: 0,
        kind,
        uploaded: file.uploaded.clone(),
        contents: None,
        requires: None,
    };
    let what = format!("`{}`", file.name);
    let of_index = indexes
        .iter()
        .find(|index| index.host == address.host && index.secure == address.secure);
    let user = of_index.and_then(|index| index.user.clone());
    let address = Address { user, ..address };
    if kind == FileKind::Source {
        measured.download = match file.size {
            Some(size) => size,
            None => length(online, &address, &what)?,
        };
    } else {
        let wheel = wheel::read(&online.client, &address, &what, online.settings.max_bytes)?;
        measured.download = wheel.bytes;
        measured.contents = Some(wheel.contents);
        measured.requires = wheel.requires;
    }
    online.cache.put(&key, &measured)?;
    Ok(measured)
}

/// How one would write what is wanted.
pub(super) fn asked(need: &PythonNeed) -> String {
    format!("{}{}", need.name, need.versions)
}

/// How long a file is: its first byte, or its header, says so.
fn length(online: &Online, address: &Address, what: &str) -> Result<u64, OnlineError> {
    let question = Question::new(address.clone(), what, online.settings.max_bytes);
    online.client.ask(&question, |answer| match answer.status {
        200 => answer
            .length()
            .ok_or_else(|| question.nonsense("it does not say how long it is")),
        status => Err(question.refused(status)),
    })
}

/// The files of a project, all addresses in full.
fn list(online: &Online, address: &Address, what: &str) -> Result<Vec<Listed>, OnlineError> {
    let key = format!("page {}", address.shown());
    if let Some(files) = online.cache.get(&key, Some(online.settings.max_age)) {
        return Ok(files);
    }
    let mut question = Question::new(address.clone(), what, PAGE);
    question.accept = ACCEPT;
    let files = online.client.ask(&question, |answer| {
        if answer.status != 200 {
            return Err(question.refused(answer.status));
        }
        let from = answer.from.clone();
        let bytes = answer.bytes(&question)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| question.nonsense("it is not UTF-8"))?;
        let start = text.trim_start_matches('\u{feff}').trim_start();
        if start.starts_with('{') {
            let page: Page =
                serde_json::from_str(start).map_err(|error| question.nonsense(error))?;
            Ok(page
                .files
                .into_iter()
                .filter_map(|file| of_json(file, &from))
                .collect())
        } else if start.starts_with('<') {
            Ok(of_html(text, &from))
        } else {
            Err(question.nonsense("it is neither JSON nor HTML"))
        }
    })?;
    online.cache.put(&key, &files)?;
    Ok(files)
}

/// An entry of a page; none where its address cannot be asked.
fn of_json(file: PageFile, from: &Address) -> Option<Listed> {
    Some(Listed {
        url: from.join(&file.url).ok()?.shown(),
        name: file.filename,
        size: file.size,
        requires_python: file.requires_python,
        yanked: !matches!(file.yanked, Value::Null | Value::Bool(false)),
        uploaded: file
            .upload_time
            .and_then(|time| time.get(..10).map(str::to_owned)),
        sha256: file.hashes["sha256"].as_str().map(str::to_owned),
    })
}

/// The links of a page in HTML: `<a href="…#sha256=…" data-requires-python="…" data-yanked>NAME</a>`.
fn of_html(page: &str, from: &Address) -> Vec<Listed> {
    let mut files = Vec::new();
    for link in page.split("<a ").skip(1) {
        let mut listed = Listed {
            name: String::new(),
            url: String::new(),
            size: None,
            requires_python: None,
            yanked: false,
            uploaded: None,
            sha256: None,
        };
        let mut rest = link.trim_start();
        while let Some(end) = rest.find(['=', '>', ' ', '\n', '\t']) {
            let name = rest[..end].trim().to_ascii_lowercase();
            let mut value = "";
            let separator = rest.as_bytes()[end];
            rest = &rest[end + 1..];
            if separator == b'=' {
                let quote = rest
                    .chars()
                    .next()
                    .filter(|first| matches!(first, '"' | '\''));
                let Some(quote) = quote else { break };
                let Some((inside, after)) = rest[1..].split_once(quote) else {
                    break;
                };
                value = inside;
                rest = after.trim_start();
            }
            match &*name {
                "href" => listed.url = unescaped(value),
                "data-requires-python" => listed.requires_python = Some(unescaped(value)),
                "data-yanked" => listed.yanked = true,
                _ => {}
            }
            if separator == b'>' {
                break;
            }
            if let Some(after) = rest.strip_prefix('>') {
                rest = after;
                break;
            }
        }
        let Some((text, _)) = rest.split_once('<').filter(|_| !listed.url.is_empty()) else {
            continue;
        };
        listed.name = unescaped(text.trim());
        let digest = listed
            .url
            .split_once("#sha256=")
            .map(|(_, digest)| digest.to_owned());
        listed.sha256 = digest;
        if let Ok(address) = from.join(&listed.url) {
            listed.url = address.shown();
            files.push(listed);
        }
    }
    files
}

fn unescaped(text: &str) -> String {
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#43;", "+"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (escape, character)| {
        text.replace(escape, character)
    })
}

/// The version in the name of a file of a project.
fn version_of(file: &str, project: &str) -> Option<Version> {
    if let Some(stem) = file.strip_suffix(".whl") {
        let mut parts = stem.split('-');
        let same = normalize_name(parts.next()?) == project;
        return same
            .then(|| Version::from_str(parts.next()?).ok())
            .flatten();
    }
    let ends = [".tar.gz", ".zip", ".tar.bz2", ".tgz"];
    let stem = ends.iter().find_map(|end| file.strip_suffix(end))?;
    // Names of old archives may have dashes themselves.
    stem.match_indices('-').find_map(|(at, _)| {
        let same = normalize_name(&stem[..at]) == project;
        same.then(|| Version::from_str(&stem[at + 1..]).ok())
            .flatten()
    })
}

/// The file that pip takes: of the newest version that is allowed and has one, the one that fits best. What was withdrawn only if it is
/// the one version allowed; previews only if there is nothing else, or the versions allowed name one (PEP 440, PEP 592).
fn choose<'l>(need: &PythonNeed, listed: &'l [Listed]) -> Option<(String, FileKind, &'l Listed)> {
    let allowed = VersionSpecifiers::from_str(&need.versions).ok()?;
    let exact = need.versions.starts_with("==") && !need.versions.contains('*');
    let names_preview = allowed.iter().any(|one| one.version().any_prerelease());
    // Which patch of Python an image has is not known: a late one fits what asks for one at the least.
    let python = Version::new([u64::from(need.python.0), u64::from(need.python.1), 50]);
    let mut fitting: Vec<(Version, u8, FileKind, &Listed)> = Vec::new();
    for file in listed {
        let Some(version) = version_of(&file.name, &need.name) else {
            continue;
        };
        let runs = file.requires_python.as_deref().is_none_or(|text| {
            VersionSpecifiers::from_str(text).map_or(true, |allowed| allowed.contains(&python))
        });
        if !runs || (file.yanked && !exact) || !allowed.contains(&version) {
            continue;
        }
        if let Some((rank, kind)) = file_rank(&file.name, need.python, need.platform) {
            fitting.push((version, rank, kind, file));
        }
    }
    let best = |previews: bool| {
        let wanted = fitting
            .iter()
            .filter(|(version, ..)| previews || !version.any_prerelease());
        wanted.max_by(|a, b| (&a.0, a.1, &b.3.name).cmp(&(&b.0, b.1, &a.3.name)))
    };
    let (version, _, kind, file) = best(names_preview).or_else(|| best(true))?;
    Some((version.to_string(), *kind, file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Libc, WheelPlatform};

    fn need(versions: &str) -> PythonNeed {
        PythonNeed {
            name: "demo-app".into(),
            versions: versions.into(),
            python: (3, 12),
            platform: WheelPlatform::x86_64(Libc::Glibc),
        }
    }

    fn page(html: &str) -> Vec<Listed> {
        of_html(
            html,
            &Address::parse("http://index.test/simple/demo-app/").unwrap(),
        )
    }

    const HTML: &str = r#"<!DOCTYPE html><html><body>
        <a href="../../f/demo_app-1.0-py3-none-any.whl#sha256=aa" data-requires-python="&gt;=3.8">demo_app-1.0-py3-none-any.whl</a><br/>
        <a data-yanked="broken" href='/f/demo_app-1.5-py3-none-any.whl'>demo_app-1.5-py3-none-any.whl</a>
        <a href="/f/demo_app-1.2-cp312-cp312-manylinux_2_17_x86_64.whl">demo_app-1.2-cp312-cp312-manylinux_2_17_x86_64.whl</a>
        <a href="/f/demo_app-1.2-py3-none-any.whl" >demo_app-1.2-py3-none-any.whl</a>
        <a href="/f/demo-app-1.3.tar.gz" data-requires-python="&gt;=3.13">demo-app-1.3.tar.gz</a>
        <a href="/f/demo_app-2.0rc1-py3-none-any.whl">demo_app-2.0rc1-py3-none-any.whl</a>
        <a href="/f/demo-app-0.9.tar.gz">demo-app-0.9.tar.gz</a>
        <a href="file:///f/demo_app-9-py3-none-any.whl">demo_app-9-py3-none-any.whl</a>
        <a href=unquoted>x</a></body></html>"#;

    #[test]
    fn the_file_that_pip_takes() {
        let listed = page(HTML);
        assert_eq!(listed.len(), 7);
        assert_eq!(
            listed[0].url,
            "http://index.test/f/demo_app-1.0-py3-none-any.whl"
        );
        assert_eq!(listed[0].sha256.as_deref(), Some("aa"));
        let chosen = |versions: &str| {
            choose(&need(versions), &listed)
                .map(|(version, kind, file)| (version, kind, file.name.len()))
        };
        let native = "demo_app-1.2-cp312-cp312-manylinux_2_17_x86_64.whl".len();
        assert_eq!(chosen(""), Some(("1.2".into(), FileKind::Native, native)));
        assert_eq!(chosen("<1.2"), Some(("1.0".into(), FileKind::Pure, 29)));
        assert_eq!(chosen("==1.5"), Some(("1.5".into(), FileKind::Pure, 29)));
        assert_eq!(
            chosen(">=2.0rc1"),
            Some(("2.0rc1".into(), FileKind::Pure, 32))
        );
        assert_eq!(chosen(">1.9"), Some(("2.0rc1".into(), FileKind::Pure, 32)));
        assert_eq!(chosen("<1"), Some(("0.9".into(), FileKind::Source, 19)));
        assert_eq!(chosen("==1.3"), None);
        assert_eq!(chosen("nonsense"), None);
    }

    #[test]
    fn names_of_files() {
        let version = |file| version_of(file, "demo-app").map(|version| version.to_string());
        assert_eq!(
            version("Demo.App-1.0-1-py3-none-any.whl").as_deref(),
            Some("1.0")
        );
        assert_eq!(
            version("demo-app-1.0.post1.zip").as_deref(),
            Some("1.0.post1")
        );
        for other in [
            "demo-1.0.zip",
            "demo-app-x.zip",
            "demo-app",
            "other-1-py3-none-any.whl",
            ".whl",
        ] {
            assert_eq!(version(other), None, "{other}");
        }
    }

    #[test]
    fn pages_that_make_no_sense_are_survived() {
        for end in 0..HTML.len() {
            page(&HTML[..end]);
        }
        assert!(page("<a <a <a href=\"\">").is_empty());
    }
}
