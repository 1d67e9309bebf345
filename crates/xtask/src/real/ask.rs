//! Builds projects with a running BuildKit and reads from its trace what was cached.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Map, Value};
use stagewright_tests::called::{Called, Named};
use stagewright_tests::scenario::{Edit, Entry, Project};

use super::outside::Outside;

/// For each step, by BuildKit's name, whether it was cached.
pub(super) type Steps = Map<String, Value>;

/// The builder at `BUILDKIT_HOST`. Its cache is emptied again and again: it should have no other use.
pub(super) struct Builder {
    folder: PathBuf,
    there: BTreeMap<String, Entry>,
    outside: Outside,
}

/// How a cache is taken from one builder to another.
struct Exchange {
    export: Vec<String>,
    import: Vec<String>,
}

/// Runs a command that must succeed.
pub(super) fn run(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let output = command.output()?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into())
    }
}

/// A builder that has never built. One whose cache is emptied keeps the keys for a while (`control/control.go`, `Prune`), and exports
/// them too.
struct Fresh {
    process: Child,
    folder: PathBuf,
    address: String,
}

impl Fresh {
    fn start(folder: &Path) -> Result<Self, Box<dyn Error>> {
        fs::create_dir_all(folder)?;
        let address = format!("unix://{}", folder.join("socket").display());
        let mut command = Command::new("buildkitd");
        command
            .args(["--oci-worker-net=host", "--containerd-worker=false"])
            .args(["--addr", &address, "--root"])
            .arg(folder.join("root"))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some(file) = std::env::var_os("BUILDKITD_CONFIG") {
            command.arg("--config").arg(file);
        }
        let fresh = Self {
            process: command.spawn()?,
            folder: folder.to_owned(),
            address,
        };
        for _ in 0..200 {
            let workers = Command::new("buildctl")
                .args(["--addr", &fresh.address, "debug", "workers"])
                .output()?;
            if workers.status.success() {
                return Ok(fresh);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err("buildkitd does not answer: BUILDKITD_CONFIG names its configuration".into())
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        // Asked to stop, it takes its mounts along.
        let _ = Command::new("kill")
            .arg(self.process.id().to_string())
            .status();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Builder {
    pub(super) fn new() -> Result<Self, Box<dyn Error>> {
        if std::env::var_os("BUILDKIT_HOST").is_none() {
            return Err(
                "BUILDKIT_HOST is not set: start a builder as tests/real/README.md says".into(),
            );
        }
        let folder = std::env::temp_dir().join(format!("stagewright-real-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self {
            outside: Outside::new(folder.join("repository")),
            folder,
            there: BTreeMap::new(),
        })
    }

    /// Builds a project on a builder that knows nothing, then the one that it becomes, and tells of each step of the second build whether
    /// it was cached.
    pub(super) fn ask(&mut self, project: &Project, edit: &Edit) -> Result<Steps, Box<dyn Error>> {
        let legacy = project.build.builder.as_deref() == Some("legacy");
        self.forget(legacy)?;
        let mut more = Vec::new();
        if let Some(stages) = &edit.no_cache {
            more.extend(["--opt".to_owned(), format!("no-cache={}", stages.join(","))]);
        }
        let after = project.after(edit);
        let failed = |error| format!("before: {error}");
        if legacy {
            self.legacy(project, false).map_err(failed)?;
            return self.legacy(&after, edit.no_cache.is_some());
        }
        let Some(export) = &edit.imported else {
            self.build(project, None, &[]).map_err(failed)?;
            return self.build(&after, None, &more);
        };
        let cache = self.export(export)?;
        let (one, two) = (self.fresh("one")?, self.fresh("two")?);
        self.build(project, Some(&one.address), &cache.export)
            .map_err(failed)?;
        more.extend(cache.import);
        self.build(&after, Some(&two.address), &more)
    }

    fn fresh(&self, name: &str) -> Result<Fresh, Box<dyn Error>> {
        Fresh::start(&self.folder.join(name))
    }

    /// Empties the cache and the folder that is built from.
    fn forget(&mut self, legacy: bool) -> Result<(), Box<dyn Error>> {
        fs::remove_dir_all(&self.folder)?;
        fs::create_dir_all(self.context())?;
        self.there.clear();
        if legacy {
            run(Command::new("docker").args(["image", "prune", "--force"]))
        } else {
            run(Command::new("buildctl").args(["prune", "--all"]))
        }
    }

    fn context(&self) -> PathBuf {
        self.folder.join("context")
    }

    /// The arguments that export a cache, and those that import it.
    fn export(&self, export: &str) -> Result<Exchange, Box<dyn Error>> {
        let argument = |name: &str, value: String| [format!("--{name}"), value];
        if export == "inline" {
            let registry = std::env::var("REGISTRY").map_err(|_| {
                "REGISTRY is not set: an inline cache needs a registry, as tests/real/README.md says"
            })?;
            let image = format!("{registry}/stagewright/inline");
            let output = format!("type=image,name={image},push=true,registry.insecure=true");
            let import = format!("type=registry,ref={image},registry.insecure=true");
            return Ok(Exchange {
                export: [
                    argument("output", output),
                    argument("export-cache", "type=inline".into()),
                ]
                .concat(),
                import: argument("import-cache", import).to_vec(),
            });
        }
        let folder = self.folder.join("cache");
        let export = format!("type=local,dest={},mode={export}", folder.display());
        let import = format!("type=local,src={}", folder.display());
        Ok(Exchange {
            export: argument("export-cache", export).to_vec(),
            import: argument("import-cache", import).to_vec(),
        })
    }

    /// Builds, and tells of each step whether it was cached.
    fn build(
        &mut self,
        project: &Project,
        address: Option<&str>,
        more: &[String],
    ) -> Result<Steps, Box<dyn Error>> {
        self.put(project)?;
        let mut command = build(&self.context());
        if let Some(address) = address {
            command.env("BUILDKIT_HOST", address);
        }
        self.outside.stand(&project.build)?;
        call(&mut command, &self.folder, &project.build)?;
        for (name, value) in &project.args {
            command
                .arg("--opt")
                .arg(format!("build-arg:{name}={value}"));
        }
        if let Some(target) = &project.target {
            command.arg("--opt").arg(format!("target={target}"));
        }
        trace(command.args(more))
    }

    /// Builds with the builder before BuildKit, that of the daemon at `DOCKER_HOST`.
    fn legacy(&mut self, project: &Project, no_cache: bool) -> Result<Steps, Box<dyn Error>> {
        self.put(project)?;
        let mut command = Command::new("docker");
        command.env("DOCKER_BUILDKIT", "0").arg("build");
        for (name, value) in &project.args {
            command.arg("--build-arg").arg(format!("{name}={value}"));
        }
        if let Some(target) = &project.target {
            command.args(["--target", target]);
        }
        if no_cache {
            command.arg("--no-cache");
        }
        let output = command.arg(self.context()).output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        Ok(legacy_steps(&String::from_utf8_lossy(&output.stdout)))
    }

    /// Brings the folder to the state of the project, touching only what differs.
    fn put(&mut self, project: &Project) -> Result<(), Box<dyn Error>> {
        let folder = self.context();
        let mut wanted = project.files.clone();
        wanted.insert(
            "Dockerfile".to_owned(),
            Entry::Text(project.dockerfile.clone()),
        );
        for path in self.there.keys().filter(|path| !wanted.contains_key(*path)) {
            remove(&folder.join(path))?;
        }
        // Folders that only held files which are gone.
        prune(&folder, &folder, &wanted)?;
        for (path, entry) in &wanted {
            let place = folder.join(path);
            if self.there.get(path) != Some(entry) || fs::symlink_metadata(&place).is_err() {
                write(&folder, path, entry)?;
            }
        }
        self.there = wanted;
        Ok(())
    }
}

impl Drop for Builder {
    fn drop(&mut self) {
        // What is left of it does no harm.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn write(root: &Path, path: &str, entry: &Entry) -> std::io::Result<()> {
    let place = root.join(path);
    let mut above = root.to_owned();
    for part in Path::new(path).parent().into_iter().flatten() {
        above.push(part);
        if !above.is_dir() {
            fs::create_dir(&above)?;
            fs::set_permissions(&above, fs::Permissions::from_mode(0o755))?;
        }
    }
    match entry {
        Entry::Text(text) => file(&place, text, 0o644),
        Entry::File { text, mode } => file(&place, text, *mode),
        Entry::Link { link } => {
            remove(&place)?;
            symlink(link, &place)
        }
        Entry::Folder { folder } => {
            if !place.is_dir() {
                remove(&place)?;
                fs::create_dir(&place)?;
            }
            fs::set_permissions(&place, fs::Permissions::from_mode(*folder))
        }
    }
}

fn file(place: &Path, text: &str, mode: u32) -> std::io::Result<()> {
    remove(place)?;
    fs::write(place, text)?;
    fs::set_permissions(place, fs::Permissions::from_mode(mode))
}

fn remove(place: &Path) -> std::io::Result<()> {
    match fs::symlink_metadata(place) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(place),
        Ok(_) => fs::remove_file(place),
        Err(_) => Ok(()),
    }
}

/// Removes folders that nothing wanted is in; `true` if the folder itself is one.
fn prune(root: &Path, folder: &Path, wanted: &BTreeMap<String, Entry>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let place = entry?.path();
        if fs::symlink_metadata(&place)?.is_dir() {
            let path = place
                .strip_prefix(root)
                .unwrap_or(&place)
                .to_string_lossy()
                .into_owned();
            let below = format!("{path}/");
            if wanted
                .keys()
                .any(|other| *other == path || other.starts_with(&below))
            {
                prune(root, &place, wanted)?;
            } else {
                fs::remove_dir_all(&place)?;
            }
        }
    }
    Ok(())
}

/// The command that builds a folder, which holds its Dockerfile.
pub(super) fn build(folder: &Path) -> Command {
    let mut command = Command::new("buildctl");
    command.args([
        "build",
        "--frontend",
        "dockerfile.v0",
        "--progress",
        "rawjson",
    ]);
    for name in ["context", "dockerfile"] {
        command
            .arg("--local")
            .arg(format!("{name}={}", folder.display()));
    }
    command
}

/// What a build is told besides its files, its arguments and its target.
fn call(command: &mut Command, folder: &Path, called: &Called) -> Result<(), Box<dyn Error>> {
    let mut option = |name: &str, value: &str| {
        if !value.is_empty() {
            command.arg("--opt").arg(format!("{name}={value}"));
        }
    };
    option("platform", called.platform.as_deref().unwrap_or_default());
    option(
        "force-network-mode",
        called.network.as_deref().unwrap_or_default(),
    );
    option("add-hosts", &called.add_hosts.join(","));
    option("shm-size", called.shm_size.as_deref().unwrap_or_default());
    option("ulimit", &called.ulimits.join(","));
    option(
        "cgroup-parent",
        called.cgroup_parent.as_deref().unwrap_or_default(),
    );
    for (name, named) in &called.contexts {
        match named {
            Named::Image(image) => option(&format!("context:{name}"), image),
            Named::Folder(_) => option(&format!("context:{name}"), &format!("local:{name}")),
        }
    }
    for (name, named) in &called.contexts {
        if let Named::Folder(files) = named {
            let place = folder.join(format!("context-{name}"));
            remove(&place)?;
            fs::create_dir_all(&place)?;
            for (path, entry) in files {
                write(&place, path, entry)?;
            }
            command
                .arg("--local")
                .arg(format!("{name}={}", place.display()));
        }
    }
    for (id, value) in &called.secrets {
        let place = folder.join(format!("secret-{id}"));
        fs::write(&place, value)?;
        command
            .arg("--secret")
            .arg(format!("id={id},src={}", place.display()));
    }
    if called.network.as_deref() == Some("host") {
        command.args(["--allow", "network.host"]);
    }
    Ok(())
}

/// Runs the command of a build, and tells of each step whether it was cached.
pub(super) fn trace(command: &mut Command) -> Result<Steps, Box<dyn Error>> {
    let output = command.output()?;
    let trace = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let last: Vec<&str> = trace.lines().rev().take(3).collect();
        return Err(last.join("\n").into());
    }
    Ok(steps(&trace))
}

/// The steps in a trace (`--progress rawjson`). A step runs when it starts without being told to be cached, unless it was taken from the
/// cache before: then its layers are fetched. What is told to be cached without having started need not be (`solver/progress.go`,
/// `vertexStream.append`): it was not looked at, and may run later, or runs already.
fn steps(trace: &str) -> Steps {
    let mut found: BTreeMap<String, Seen> = BTreeMap::new();
    for line in trace.lines() {
        let Ok(event) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        for vertex in event["vertexes"].as_array().into_iter().flatten() {
            let digest = vertex["digest"].as_str().unwrap_or_default();
            let seen = found.entry(digest.to_owned()).or_default();
            vertex["name"]
                .as_str()
                .unwrap_or_default()
                .clone_into(&mut seen.name);
            seen.inputs |= vertex["inputs"].is_array();
            let (started, completed) = (&vertex["started"], &vertex["completed"]);
            if vertex["cached"] == true {
                seen.loaded |= !started.is_null() && completed.is_null();
            } else {
                seen.ran |= !started.is_null() && !seen.loaded;
            }
        }
    }
    let mut steps = Steps::new();
    // A download has the name of the ADD that it is for; it comes first, since it has no inputs.
    let mut seen: Vec<Seen> = found.into_values().collect();
    seen.sort_by_key(|seen| seen.inputs);
    for seen in seen {
        let other = ["[internal]", "[context "]
            .iter()
            .any(|start| seen.name.starts_with(start));
        // Of a base image it is not told whether anything was fetched.
        if seen.name.starts_with('[') && !other && !seen.name.contains("] FROM ") {
            steps.insert(seen.name, Value::Bool(!seen.ran));
        }
    }
    steps
}

/// What a trace has told of a vertex.
#[derive(Default)]
struct Seen {
    name: String,
    inputs: bool,
    loaded: bool,
    ran: bool,
}

/// The steps in what `docker build` prints without BuildKit, but for FROM and what stands before it.
fn legacy_steps(text: &str) -> Steps {
    let mut found = Steps::new();
    let mut current = None;
    let mut stages = false;
    for line in text.lines() {
        if let Some((number, instruction)) = line
            .strip_prefix("Step ")
            .and_then(|rest| rest.split_once(" : "))
        {
            let from = instruction.to_ascii_uppercase().starts_with("FROM ");
            stages |= from;
            current = (stages && !from).then(|| format!("[{number}] {instruction}"));
            found.extend(current.clone().map(|name| (name, Value::Bool(false))));
        } else if line.trim() == "---> Using cache"
            && let Some(name) = &current
        {
            found.insert(name.clone(), Value::Bool(true));
        }
    }
    found
}
