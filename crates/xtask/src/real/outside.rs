//! What builds find outside of their context: a web server, a git daemon, images in the registry. All on this machine alone.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use stagewright_tests::called::{Called, REPOSITORY, SERVED, Served};

use super::ask::{build, run};

/// The things outside, brought to what a scenario says.
pub(super) struct Outside {
    served: Option<Arc<Mutex<BTreeMap<String, Served>>>>,
    /// The folder above the repository.
    folder: PathBuf,
    git: Option<Child>,
}

impl Outside {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            served: None,
            folder,
            git: None,
        }
    }

    pub(super) fn stand(&mut self, called: &Called) -> Result<(), Box<dyn Error>> {
        if !called.served.is_empty() {
            self.serve(&called.served)?;
        }
        if !called.repository.is_empty() {
            self.commit(&called.repository)?;
        }
        for (name, dockerfile) in &called.images {
            push(name, dockerfile)?;
        }
        Ok(())
    }

    fn serve(&mut self, files: &BTreeMap<String, Served>) -> Result<(), Box<dyn Error>> {
        let served = if let Some(served) = &self.served {
            Arc::clone(served)
        } else {
            let listener = TcpListener::bind(host(SERVED))?;
            let served = Arc::new(Mutex::new(BTreeMap::new()));
            let files = Arc::clone(&served);
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    // A client that hangs up early is none of the server's business.
                    let _ = answer(stream, &files);
                }
            });
            self.served = Some(Arc::clone(&served));
            served
        };
        *served.lock().map_err(|_| "the web server is gone")? = files.clone();
        Ok(())
    }

    /// The repository with one commit, of which the time is always the same.
    fn commit(&mut self, files: &BTreeMap<String, String>) -> Result<(), Box<dyn Error>> {
        let place = self.folder.join("repository.git");
        if place.is_dir() {
            fs::remove_dir_all(&place)?;
        }
        fs::create_dir_all(&place)?;
        let git = |words: &[&str]| {
            let mut command = Command::new("git");
            command
                .arg("-C")
                .arg(&place)
                .args(["-c", "user.name=x", "-c", "user.email=x@example.com"])
                .args(words)
                .env("GIT_AUTHOR_DATE", "2020-01-01T00:00:00Z")
                .env("GIT_COMMITTER_DATE", "2020-01-01T00:00:00Z");
            run(&mut command)
        };
        git(&["init", "--quiet", "--initial-branch=main"])?;
        for (name, text) in files.iter().filter(|(name, _)| !name.is_empty()) {
            fs::write(place.join(name), text)?;
        }
        git(&["add", "--all"])?;
        let message = files.get("").map_or("first", String::as_str);
        git(&["commit", "--quiet", "--message", message])?;
        if self.git.is_none() {
            let (address, port) = host(REPOSITORY).rsplit_once(':').ok_or("no port")?;
            // Not by way of `git`, which would leave it behind when it is stopped.
            let programs = Command::new("git").arg("--exec-path").output()?;
            let programs = String::from_utf8(programs.stdout)?;
            let daemon = Command::new(format!("{}/git-daemon", programs.trim_end()))
                .args(["--reuseaddr", "--export-all"])
                .arg(format!("--listen={address}"))
                .arg(format!("--port={port}"))
                .arg(format!("--base-path={}", self.folder.display()))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()?;
            self.git = Some(daemon);
            std::thread::sleep(std::time::Duration::from_millis(500));
        }
        Ok(())
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        if let Some(git) = &mut self.git {
            // It is gone already, or goes with the machine.
            let _ = git.kill();
            let _ = git.wait();
        }
    }
}

/// `127.0.0.1:8963` of an address.
fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

fn answer(stream: TcpStream, files: &Mutex<BTreeMap<String, Served>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut known = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("if-none-match:") {
            value.trim().clone_into(&mut known);
        }
    }
    let mut words = request.split_whitespace();
    let (method, path) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let file = match files.lock() {
        Ok(files) => files.get(path.trim_start_matches('/')).cloned(),
        Err(_) => None,
    };
    let mut stream = stream;
    let Some(file) = file else {
        return stream.write_all(
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        );
    };
    let tag = format!(
        "\"{}\"",
        stagewright::context::Digest::of(format!("{file:?}"))
    );
    let modified = file
        .modified
        .as_deref()
        .map(|time| format!("Last-Modified: {time}\r\n"));
    let modified = modified.unwrap_or_default();
    let head = format!("ETag: {tag}\r\n{modified}Connection: close\r\n");
    if known.contains(&tag) {
        return stream.write_all(format!("HTTP/1.1 304 Not Modified\r\n{head}\r\n").as_bytes());
    }
    let body = if method == "HEAD" { "" } else { &file.text };
    let length = file.text.len();
    stream.write_all(
        format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{head}\r\n{body}").as_bytes(),
    )
}

/// Has the registry serve an image under a name: built once, and named anew each time, so that one Dockerfile is one image.
fn push(name: &str, dockerfile: &str) -> Result<(), Box<dyn Error>> {
    let registry = std::env::var("REGISTRY").map_err(
        |_| "REGISTRY is not set: an image needs a registry, as tests/real/README.md says",
    )?;
    let text = stagewright::context::Digest::of(dockerfile).to_string();
    let own = format!("{registry}/library/{name}:{}", &text[7..19]);
    let manifest = |tag: &str| format!("http://{registry}/v2/library/{name}/manifests/{tag}");
    let kinds = "Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.v2+json";
    let get = || {
        Command::new("curl")
            .args(["--silent", "--fail", "--include", "--header", kinds])
            .arg(manifest(&text[7..19]))
            .output()
    };
    let mut found = get()?;
    if !found.status.success() {
        let folder = std::env::temp_dir().join(format!("stagewright-image-{}", &text[7..19]));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("Dockerfile"), dockerfile)?;
        // The same layers each time, whenever they are built.
        let output = format!(
            "type=image,name={own},push=true,registry.insecure=true,rewrite-timestamp=true"
        );
        let mut command = build(&folder);
        // Layers that tell the platform are another image on each.
        if dockerfile.contains("TARGETPLATFORM") {
            command.args(["--opt", "platform=linux/amd64,linux/amd64/v2,linux/386"]);
        }
        run(command
            .args(["--opt", "build-arg:SOURCE_DATE_EPOCH=0", "--output"])
            .arg(output))?;
        fs::remove_dir_all(&folder)?;
        found = get()?;
    }
    let answer = String::from_utf8(found.stdout)?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .ok_or("the registry gives no manifest")?;
    let kind = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-type:")
                .map(|kind| kind.trim().to_owned())
        })
        .ok_or("the manifest has no type")?;
    run(Command::new("curl")
        .args(["--silent", "--fail", "--request", "PUT"])
        .args(["--header", &format!("Content-Type: {kind}")])
        .args(["--data-binary", body])
        .arg(manifest("latest")))
}
