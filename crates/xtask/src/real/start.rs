//! Starts an image's root file system with runc, as the image's configuration says, and asks the application its questions.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::image::Image;
use crate::Failure;
use crate::process::root;

/// What a container engine leaves to root by default.
const CAPABILITIES: [&str; 14] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETFCAP",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT",
    "CAP_KILL",
    "CAP_AUDIT_WRITE",
];

/// Whether `check.py` finds every answer right; a server is asked at `port`. The container has a network of its own, with nothing but
/// loopback; its words go to `log`.
pub(super) fn check(
    project: &Path,
    image: &Image,
    port: &str,
    filesystem: &Path,
    bundle: &Path,
    log: &Path,
) -> Result<bool, Failure> {
    fs::create_dir_all(bundle)?;
    fs::write(
        bundle.join("config.json"),
        specification(image, filesystem)?.to_string(),
    )?;
    let name = format!("stagewright-proof-{}", std::process::id());
    let log = fs::File::create(log)?;
    let url = format!("http://127.0.0.1:{port}");
    let status = Command::new("unshare")
        .args([
            "--net",
            "sh",
            "-c",
            "ip link set lo up && exec \"$@\"",
            "sh",
        ])
        .args(["python3", "-B"])
        .arg(root().join("tests/projects/check.py"))
        .arg(project)
        .args([&url, "--", "runc", "run", "--bundle"])
        .arg(bundle)
        .arg(&name)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .status()?;
    // It is gone already where it ended by itself.
    Command::new("runc")
        .args(["delete", "--force", &name])
        .stderr(Stdio::null())
        .status()?;
    Ok(status.success())
}

/// The configuration for runc.
fn specification(image: &Image, filesystem: &Path) -> Result<Value, Failure> {
    let user = user(image.text("User"), filesystem)?;
    let mut env = image.words("Env");
    if !env.iter().any(|variable| variable.starts_with("HOME=")) {
        env.push(format!("HOME={}", user.home));
    }
    let mut args = image.words("Entrypoint");
    args.extend(image.words("Cmd"));
    let folder = Some(image.text("WorkingDir")).filter(|folder| !folder.is_empty());
    let capabilities = if user.id == 0 { &CAPABILITIES[..] } else { &[] };
    let mount = |target: &str, kind: &str, options: &[&str]| json!({"destination": target, "type": kind, "source": kind, "options": options});
    Ok(json!({
        "ociVersion": "1.0.2",
        "process": {
            "terminal": false,
            "user": {"uid": user.id, "gid": user.group},
            "args": args,
            "env": env,
            "cwd": folder.unwrap_or("/"),
            "noNewPrivileges": true,
            "capabilities": {"bounding": CAPABILITIES, "effective": capabilities, "permitted": capabilities},
        },
        "root": {"path": filesystem, "readonly": false},
        "hostname": "stagewright",
        "mounts": [
            mount("/proc", "proc", &[]),
            mount("/dev", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
            mount("/dev/shm", "tmpfs", &["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
        ],
        "linux": {"namespaces": [{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}]},
    }))
}

struct User {
    id: u64,
    group: u64,
    home: String,
}

/// Whom a `USER` means: `USER[:GROUP]`, each a number or a name of the image.
fn user(text: &str, filesystem: &Path) -> Result<User, Failure> {
    let (user, group) = text.split_once(':').unwrap_or((text, ""));
    let user = if user.is_empty() { "0" } else { user };
    let lines = |file: &str| fs::read_to_string(filesystem.join("etc").join(file));
    let find = |text: &str, wanted: &str, number: usize| {
        let mut rows = text
            .lines()
            .map(|line| line.split(':').map(str::to_owned).collect::<Vec<_>>());
        rows.find(|row| {
            row.first().is_some_and(|name| name == wanted)
                || row.get(number).is_some_and(|id| id == wanted)
        })
    };
    let entry = find(&lines("passwd")?, user, 2);
    let column = |at: usize| entry.as_ref().and_then(|row| row.get(at)).cloned();
    let id = column(2).unwrap_or_else(|| user.to_owned()).parse()?;
    let group = if group.is_empty() {
        column(3).map_or(Ok(0), |group| group.parse())?
    } else {
        let row = find(&lines("group")?, group, 2);
        let id = row.and_then(|row| row.get(2).cloned());
        id.unwrap_or_else(|| group.to_owned()).parse()?
    };
    Ok(User {
        id,
        group,
        home: column(5).unwrap_or_else(|| "/".to_owned()),
    })
}
