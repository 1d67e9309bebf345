//! `pip`: packages under site-packages, their byte code, a cache, and the byte code of pip's own run.

use super::{CacheUse, FileProblem, Install, Invocation, Machine, Model};
use crate::facts::{
    InstalledPackage, Libc, PackageFacts, Requirements, WheelFit, normalize_name, symbols,
};
use crate::finding::Severity;
use crate::ledger::{Origin, Part, Role};
use crate::size::{Kind, Size};

pub(super) const MODEL: Model = Model {
    programs: &["pip", "pip-sync", "pip-compile"],
    run,
};

const WITH_VALUE: &[&str] = &[
    "-r",
    "--requirement",
    "-c",
    "--constraint",
    "-e",
    "--editable",
    "-t",
    "--target",
    "--prefix",
    "--root",
    "-i",
    "--index-url",
    "--extra-index-url",
    "-f",
    "--find-links",
    "--cache-dir",
    "--timeout",
    "--retries",
    "--trusted-host",
    "--proxy",
    "--cert",
    "--log",
    "--platform",
    "--python-version",
    "--implementation",
    "--abi",
    "--no-binary",
    "--only-binary",
    "--progress-bar",
    "-w",
    "--wheel-dir",
    "-d",
    "--dest",
    "--config-settings",
    "--upgrade-strategy",
    "--src",
    "--default-timeout",
];

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    match invocation.program.as_str() {
        // It writes a requirements file.
        "pip-compile" => {
            machine.reads_anything(format!("`{}` resolves versions", invocation.text));
            machine.note(format!(
                "which versions `{}` finds depends on the day of the build",
                invocation.text
            ));
        }
        "pip-sync" => {
            let site = machine.python_site(&invocation.program_path);
            install(&files_as_requirements(invocation), machine, &site);
        }
        _ => pip(invocation, machine),
    }
}

/// `pip-sync a.txt` as `pip install -r a.txt`.
pub(super) fn files_as_requirements(invocation: &Invocation) -> Invocation {
    let mut args = vec![Some("install".to_owned())];
    let files: Vec<_> = invocation.operands().collect();
    let files = if files.is_empty() {
        vec![Some("requirements.txt".to_owned())]
    } else {
        files
    };
    for file in files {
        args.extend([Some("-r".to_owned()), file]);
    }
    Invocation {
        args,
        ..invocation.clone()
    }
}

/// `pip …` and `python -m pip …`.
pub(super) fn pip(invocation: &Invocation, machine: &mut Machine<'_>) {
    let site = machine.python_site(&invocation.program_path);
    let sub = invocation
        .args
        .iter()
        .flatten()
        .find(|arg| !arg.starts_with('-'))
        .map(String::as_str);
    match sub {
        Some("install") => install(invocation, machine, &site),
        Some("wheel" | "download") => collect(invocation, machine, &site),
        Some("uninstall") => {
            for name in invocation.operands_after(WITH_VALUE).into_iter().flatten() {
                let path = path_of(machine, &site.packages, &normalize_name(&name));
                machine.remove(&path);
            }
        }
        Some("cache") => machine.remove(&format!("{}/.cache/pip", machine.home())),
        _ => {}
    }
}

/// Where an interpreter keeps its packages.
pub(crate) struct Site {
    /// The folder of the packages.
    pub(crate) packages: String,
    /// The folder that holds `bin` and `lib`.
    pub(crate) prefix: String,
    /// The interpreter's version.
    pub(crate) python: (u32, u32),
}

/// What the manifest of a project in a folder asks for, one requirement a line: `.`, `./api[dev]`.
pub(super) fn needs_of_project(machine: &Machine<'_>, word: &str) -> String {
    let (folder, extras) = word.split_once('[').map_or((word, ""), |(folder, extras)| {
        (folder, extras.trim_end_matches(']'))
    });
    if !folder.starts_with(['.', '/']) {
        return String::new();
    }
    let path = format!(
        "{}/pyproject.toml",
        machine.absolute(folder).trim_end_matches('/')
    );
    let table = machine
        .text(&path)
        .and_then(|text| text.parse::<toml::Table>().ok());
    let Some(project) = table.as_ref().and_then(|table| table.get("project")) else {
        return String::new();
    };
    let optional = project.get("optional-dependencies");
    let lists = extras
        .split(',')
        .filter_map(|extra| optional?.get(extra.trim()));
    let mut lines: Vec<&str> = project
        .get("dependencies")
        .into_iter()
        .chain(lists)
        .filter_map(toml::Value::as_array)
        .flatten()
        .filter_map(toml::Value::as_str)
        .collect();
    // Ends the last line too.
    lines.push("");
    lines.join("\n")
}

/// What the arguments ask for. The command line is read as a requirements file: pip gives both the same meaning.
fn requested(
    invocation: &Invocation,
    machine: &mut Machine<'_>,
    python: (u32, u32),
) -> (Requirements, Vec<String>) {
    let mut text = String::new();
    for (option, names) in [
        ("-r", ["-r", "--requirement"]),
        ("-c", ["-c", "--constraint"]),
        ("-e", ["-e", "--editable"]),
    ] {
        for value in invocation.options(&names) {
            if option == "-e" && !invocation.has(&["--no-deps"]) {
                text.push_str(&needs_of_project(machine, &value));
            }
            text.push_str(&format!("{option} {value}\n"));
        }
    }
    for operand in invocation.operands_after(WITH_VALUE) {
        match operand {
            Some(word) => {
                if !invocation.has(&["--no-deps"]) {
                    text.push_str(&needs_of_project(machine, &word));
                }
                text.push_str(&format!("{word}\n"));
            }
            None => machine.note(format!(
                "`{}` installs what only the build knows",
                invocation.text
            )),
        }
    }
    let read = {
        let machine = &*machine;
        Requirements::read("", &text, python, &mut |path| {
            machine.text(&machine.absolute(path)).map(str::to_owned)
        })
    };
    let manifests: Vec<String> = read
        .files
        .iter()
        .filter(|file| !file.is_empty())
        .map(|file| machine.absolute(file))
        .collect();
    for path in &manifests {
        machine.reads(path);
    }
    for problem in &read.problems {
        if problem.file.is_empty() {
            // A file that COPY and ADD did not bring, or a word that pip would refuse.
            machine.note(format!("`{}`: {}", invocation.text, problem.message));
            machine.reads_anything(format!("what `{}` reads is not known", invocation.text));
        } else {
            let file = machine
                .context_path(&machine.absolute(&problem.file))
                .unwrap_or_else(|| problem.file.clone());
            machine.facts.problems.push(FileProblem {
                file,
                line: problem.line,
                code: problem.code.as_str(),
                severity: Severity::Warning,
                message: problem.message.clone(),
            });
        }
    }
    (read, manifests)
}

/// What an installation brings.
pub(super) struct Closure {
    pub(super) packages: Vec<InstalledPackage>,
    /// Files that list it.
    pub(super) manifests: Vec<String>,
    /// Packages whose needs nobody knows.
    pub(super) unknown_needs: usize,
}

/// The packages that come along, and what is known of them.
pub(super) fn closure(invocation: &Invocation, machine: &mut Machine<'_>, site: &Site) -> Closure {
    let (wanted, manifests) = requested(invocation, machine, site.python);
    let closure = machine
        .catalog
        .python_closure(&wanted, site.python, machine.wheel_platform());
    for entry in &closure.elsewhere {
        let source = entry.source.as_deref().unwrap_or(&entry.name);
        if source.starts_with("git+") {
            machine.calls("git");
        }
        if source.contains("://") {
            machine.note(format!("the size of `{source}` is not known"));
        } else {
            machine.reads(source);
            machine.reads_anything(format!("pip builds the project in `{source}`"));
        }
    }
    if !closure.complete && !invocation.has(&["--no-deps"]) {
        machine.note(format!(
            "`{}` may install more: what its packages need is not known of all of them",
            invocation.text
        ));
    }
    let mut packages = closure.packages;
    // What the image brings along satisfies what packages need, unless they are to go somewhere else altogether.
    if !invocation.has(&["--target", "-t", "--ignore-installed", "-I"])
        && !machine.is_environment(&site.prefix)
    {
        packages.retain(|package| {
            package.line.is_some() || !machine.comes_with_python(&package.facts.name, site.python)
        });
    }
    if invocation.has(&["--no-deps"]) {
        packages.retain(|package| package.line.is_some());
    }
    Closure {
        packages,
        manifests,
        unknown_needs: if invocation.has(&["--no-deps"]) {
            0
        } else {
            closure.unknown_needs
        },
    }
}

/// The parts of an installed package.
fn parts(package: &PackageFacts, byte_code: bool, libc: Libc) -> Vec<Part> {
    let rest = without(package.installed, package.tests.plus(package.docs));
    let mut parts: Vec<Part> = package
        .kinds
        .iter()
        .map(|share| Part::main(share.kind, rest.scale(share.share)))
        .collect();
    // Measured of wheels for glibc; what is compiled here has what its compiler is told.
    let share = match (package.wheel, libc) {
        (WheelFit::Native, Libc::Glibc) => symbols::share(&package.name),
        _ => 0.0,
    };
    let native = parts.iter_mut().find(|part| part.kind == Kind::NativeWheel);
    if let (Some(native), true) = (native, share > 0.0) {
        let symbols = native.size.scale(share);
        native.size = Size {
            low: native.size.low - symbols.low,
            expected: native.size.expected - symbols.expected,
            high: native.size.high - symbols.high,
        };
        parts.push(Part {
            kind: Kind::NativeWheel,
            role: Role::Symbols,
            size: symbols,
        });
    }
    parts.push(Part {
        kind: Kind::PythonSource,
        role: Role::Tests,
        size: package.tests,
    });
    parts.push(Part {
        kind: Kind::Text,
        role: Role::Docs,
        size: package.docs,
    });
    if byte_code {
        parts.push(Part::main(
            Kind::ByteCode,
            without(package.byte_code, package.tests_byte_code),
        ));
        parts.push(Part {
            kind: Kind::ByteCode,
            role: Role::Tests,
            size: package.tests_byte_code,
        });
    }
    parts
}

/// What is left of a size without a part of it.
fn without(size: Size, part: Size) -> Size {
    Size::range(
        size.low.saturating_sub(part.expected),
        size.expected.saturating_sub(part.expected),
        size.high.saturating_sub(part.expected),
    )
}

fn label(package: &InstalledPackage) -> String {
    match &package.version {
        Some(version) => [&*package.facts.name, " ", version].concat(),
        None => package.facts.name.clone(),
    }
}

pub(super) fn names(packages: &[InstalledPackage]) -> Vec<(String, String)> {
    packages
        .iter()
        .map(|package| {
            (
                package.facts.name.clone(),
                package.version.clone().unwrap_or_default(),
            )
        })
        .collect()
}

fn install(invocation: &Invocation, machine: &mut Machine<'_>, site: &Site) {
    let Closure {
        mut packages,
        manifests,
        unknown_needs,
    } = closure(invocation, machine, site);
    let (folder, prefix) = destination(invocation, machine, site);
    let byte_code =
        !invocation.has(&["--no-compile"]) && machine.variable("PIP_NO_COMPILE").is_none();
    if !invocation.has(&["--force-reinstall", "--ignore-installed", "-I"]) {
        packages.retain(|package| !is_there(machine, &folder, package));
    }
    store(machine, &folder, &packages, byte_code);
    needs(machine, &folder, invocation.index, unknown_needs);
    for project in invocation.operands_after(WITH_VALUE).into_iter().flatten() {
        own_package(machine, &folder, &project, invocation.index, byte_code);
    }
    for project in invocation.options(&["-e", "--editable"]) {
        linked(machine, &folder, &project, invocation.index);
    }
    finish(invocation, machine, site, &packages, manifests, prefix);
}

/// The package that pip builds of a folder (`.`, `./api`): its modules, and what pip writes about it.
fn own_package(machine: &mut Machine<'_>, site: &str, word: &str, index: usize, byte_code: bool) {
    let word = word.split('[').next().unwrap_or_default();
    if !word.starts_with(['.', '/']) || word.ends_with(".whl") || word.ends_with(".gz") {
        return;
    }
    let folder = machine.absolute(word);
    let modules: u64 = machine
        .tree
        .under(&folder)
        .filter(|(path, node)| {
            matches!(node.origin, Origin::Context(_))
                && path.ends_with(".py")
                && !path.contains("/tests/")
        })
        .map(|(_, node)| node.size().expected)
        .sum();
    if modules == 0 {
        return;
    }
    let (about, basis) = machine.guess(|guess| &guess.package_about);
    let path = format!("{site}/own-{index}");
    let size = Size::within(modules, 0.5, 0.5);
    let mut parts = vec![
        Part::main(Kind::PythonSource, size),
        Part::main(Kind::Text, about),
    ];
    if byte_code {
        parts.push(Part::main(Kind::ByteCode, Size::within(modules, 0.5, 2.0)));
    }
    machine.put(&path, "the project as a package", parts, &basis);
}

/// What pip writes about a package that stays where its source is.
fn linked(machine: &mut Machine<'_>, site: &str, word: &str, index: usize) {
    if word.starts_with(['.', '/']) {
        let (about, basis) = machine.guess(|guess| &guess.package_about);
        let part = Part::main(Kind::Text, about);
        let path = format!("{site}/linked-{index}");
        machine.put(&path, "a link to the project", vec![part], &basis);
    }
}

/// Whether an earlier command put the same version of a package into a folder: it is not installed again.
pub(super) fn is_there(machine: &Machine<'_>, folder: &str, package: &InstalledPackage) -> bool {
    let path = path_of(machine, folder, &package.facts.name);
    let node = machine.tree.get(&path);
    node.is_some_and(|node| *node.label == *label(package))
}

/// Where a package lies that is installed into a folder.
fn path_of(machine: &Machine<'_>, folder: &str, package: &str) -> String {
    if machine.catalog.is_program(package) {
        let prefix = folder
            .rsplit_once("/lib/python")
            .map_or(folder, |(prefix, _)| prefix);
        format!("{prefix}/bin/{package}")
    } else {
        [folder, "/", package].concat()
    }
}

/// Puts packages into a folder.
pub(super) fn store(
    machine: &mut Machine<'_>,
    folder: &str,
    packages: &[InstalledPackage],
    byte_code: bool,
) {
    let libc = machine.wheel_platform().libc;
    for package in packages {
        let path = path_of(machine, folder, &package.facts.name);
        machine.put(
            &path,
            label(package),
            parts(&package.facts, byte_code, libc),
            &package.facts.basis,
        );
    }
}

/// What packages bring along whose needs nobody knows.
pub(super) fn needs(machine: &mut Machine<'_>, folder: &str, index: usize, packages: usize) {
    if packages > 0 {
        let sized = machine.catalog.unknown_needs(packages);
        let name = format!("needs-{index}");
        let label = "what packages need of whose needs no table knows";
        machine.scatter(folder, &name, label, Kind::PythonSource, sized);
    }
}

/// `pip wheel` and `pip download`: archives in a folder.
fn collect(invocation: &Invocation, machine: &mut Machine<'_>, site: &Site) {
    let folder = invocation
        .option(&["-w", "--wheel-dir", "-d", "--dest"])
        .unwrap_or_else(|| ".".into());
    let folder = machine.absolute(&folder);
    let Closure {
        packages,
        manifests,
        unknown_needs,
    } = closure(invocation, machine, site);
    needs(machine, &folder, invocation.index, unknown_needs);
    for package in &packages {
        let path = format!("{folder}/{}.whl", label(package).replace(' ', "-"));
        machine.put(
            &path,
            label(package),
            vec![Part::main(Kind::Archive, package.facts.download)],
            &package.facts.basis,
        );
    }
    finish(invocation, machine, site, &packages, manifests, folder);
}

/// What every run of pip leaves: its own byte code, its cache.
fn finish(
    invocation: &Invocation,
    machine: &mut Machine<'_>,
    site: &Site,
    packages: &[InstalledPackage],
    manifests: Vec<String>,
    prefix: String,
) {
    own_byte_code(machine, site, packages);
    cache(invocation, machine, site, packages);
    machine.facts.installs.push(Install {
        tool: "pip",
        command: invocation.index,
        prefix,
        packages: names(packages),
        manifests,
        writes_manifests: false,
    });
}

/// Where packages go: `--target`, `--prefix`, `--user` or the interpreter's own folder.
fn destination(invocation: &Invocation, machine: &Machine<'_>, site: &Site) -> (String, String) {
    let lib = format!(
        "lib/python{}.{}/site-packages",
        site.python.0, site.python.1
    );
    let root = invocation
        .option(&["--root"])
        .map(|root| machine.absolute(&root))
        .unwrap_or_default();
    // Every option has a variable (pip's documentation, "Configuration").
    let option = |names: &[&str], variable: &str| {
        let written = invocation.option(names);
        written.or_else(|| machine.variable(variable).map(str::to_owned))
    };
    if let Some(target) = option(&["-t", "--target"], "PIP_TARGET") {
        let target = machine.absolute(&target);
        return (target.clone(), target);
    }
    if let Some(prefix) = option(&["--prefix"], "PIP_PREFIX") {
        let prefix = format!("{root}{}", machine.absolute(&prefix));
        return (format!("{prefix}/{lib}"), prefix);
    }
    if invocation.has(&["--user"]) || machine.variable("PIP_USER").is_some() {
        let prefix = machine
            .variable("PYTHONUSERBASE")
            .map_or_else(|| format!("{}/.local", machine.home()), str::to_owned);
        return (format!("{prefix}/{lib}"), prefix);
    }
    (
        format!("{root}{}", site.packages),
        format!("{root}{}", site.prefix),
    )
}

/// The byte code of the modules that pip itself imports, unless Python is told to write none or has written it before. The modules of
/// Python lie with the interpreter, also where pip runs in a virtual environment, whose own pip has its byte code from the start.
fn own_byte_code(machine: &mut Machine<'_>, site: &Site, packages: &[InstalledPackage]) {
    let environment = machine.is_environment(&site.prefix);
    let prefix = if environment {
        machine.interpreter_prefix()
    } else {
        site.prefix.clone()
    };
    let path = format!(
        "{prefix}/lib/python{}.{}/__pycache__",
        site.python.0, site.python.1
    );
    if machine.variable("PYTHONDONTWRITEBYTECODE").is_some()
        || !machine.writes_byte_code()
        || machine.tree.get(&path).is_some()
    {
        return;
    }
    let from_source = packages
        .iter()
        .any(|package| package.facts.wheel == WheelFit::SdistOnly);
    let replaces_pip = environment || packages.iter().any(|package| package.facts.name == "pip");
    let (size, basis) =
        machine
            .catalog
            .interpreters()
            .pip_run_byte_code(site.python, from_source, replaces_pip);
    let part = Part::main(Kind::ByteCode, size);
    machine.put(
        &path,
        "byte code of Python's own modules, left by running pip",
        vec![part],
        &basis,
    );
}

fn cache(
    invocation: &Invocation,
    machine: &mut Machine<'_>,
    site: &Site,
    packages: &[InstalledPackage],
) {
    let variable_off = matches!(machine.variable("PIP_NO_CACHE_DIR"), Some(value) if !matches!(value, "0" | "false" | "no" | "off"));
    if variable_off || packages.is_empty() {
        return;
    }
    let interpreters = machine.catalog.interpreters();
    let (size, basis) = if invocation.has(&["--no-cache-dir"]) {
        match interpreters.pip_cache_despite_flag(site.python, packages) {
            Some(despite) => despite,
            None => return,
        }
    } else {
        interpreters.pip_cache(site.python, packages)
    };
    let path = invocation
        .option(&["--cache-dir"])
        .or_else(|| machine.variable("PIP_CACHE_DIR").map(str::to_owned))
        .or_else(|| {
            machine
                .variable("XDG_CACHE_HOME")
                .map(|home| format!("{home}/pip"))
        })
        .unwrap_or_else(|| format!("{}/.cache/pip", machine.home()));
    let path = machine.absolute(&path);
    let kept_out = machine.mounted(&path);
    machine.put(
        &path,
        "pip's cache",
        vec![Part::main(Kind::Archive, size)],
        &basis,
    );
    if !kept_out {
        machine.facts.caches.push(CacheUse {
            tool: "pip",
            path,
            size,
            command: invocation.index,
        });
    }
}
