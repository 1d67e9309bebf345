//! `python`: `-m pip`, `-m venv` and `-m compileall`; anything else runs the application's own code.

use super::pip;
use super::{Invocation, Machine, Model};
use crate::ledger::{Node, Part};
use crate::size::{Kind, Size};

pub(super) const MODEL: Model = Model {
    programs: &["python", "virtualenv"],
    run,
};

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    if invocation.program == "virtualenv" {
        return environment(invocation, machine, 0);
    }
    // Options of the interpreter itself come before `-m`.
    let module = invocation
        .args
        .iter()
        .position(|arg| arg.as_deref() == Some("-m"));
    let name = module
        .and_then(|at| invocation.args.get(at + 1))
        .and_then(Option::as_deref);
    let rest = module.map_or(0, |at| at + 2);
    match name {
        Some("pip") => {
            let inner = Invocation {
                args: invocation.args[rest..].to_vec(),
                ..invocation.clone()
            };
            pip::pip(&inner, machine);
        }
        Some(tool @ ("uv" | "poetry" | "pdm" | "pipenv")) => {
            let inner = Invocation {
                program: tool.to_owned(),
                args: invocation.args[rest..].to_vec(),
                ..invocation.clone()
            };
            super::run(&inner, machine);
        }
        Some("venv" | "virtualenv") => environment(invocation, machine, rest),
        Some("compileall") => compile(invocation, machine, rest),
        _ if invocation.has(&["-V", "--version"]) => {}
        _ if prints_dependencies(invocation, machine) => {}
        _ => {
            machine.reads_anything(format!("`{}` runs code of the project", invocation.text));
            machine.note(format!(
                "`{}` may write files that no model can know",
                invocation.text
            ));
            byte_code_of_run(invocation, machine);
            if invocation
                .args
                .iter()
                .flatten()
                .any(|arg| arg == "collectstatic")
            {
                static_files(invocation, machine);
            }
        }
    }
}

/// `-c 'import tomllib; …load(open("pyproject.toml", "rb"))["project"]["dependencies"]…'`: prints what the project depends on, and runs
/// no code of it.
fn prints_dependencies(invocation: &Invocation, machine: &mut Machine<'_>) -> bool {
    let [Some(flag), Some(code)] = invocation.args.as_slice() else {
        return false;
    };
    let opened = code
        .split_once("tomllib.load(open(\"")
        .and_then(|(_, rest)| rest.split_once('"'));
    let Some((path, rest)) = opened.filter(|_| flag == "-c") else {
        return false;
    };
    if !rest.contains("[\"project\"][\"dependencies\"]") || !path.ends_with("pyproject.toml") {
        return false;
    }
    let path = machine.absolute(path);
    let folder = path.trim_end_matches("pyproject.toml").to_owned();
    machine.reads(&path);
    machine.printed = Some(pip::needs_of_project(machine, &folder));
    true
}

/// What a run of the project's code leaves: the byte code of what it loads, once for each file system, and files that nobody can know.
fn byte_code_of_run(invocation: &Invocation, machine: &mut Machine<'_>) {
    let site = machine.python_site(&invocation.program_path);
    let folder = format!(
        "{}/lib/python{}.{}",
        site.prefix, site.python.0, site.python.1
    );
    let path = format!("{folder}/run/__pycache__");
    if machine.tree.get(&path).is_some() {
        return;
    }
    let writes =
        machine.variable("PYTHONDONTWRITEBYTECODE").is_none() && machine.writes_byte_code();
    let after_pip = machine.tree.get(&format!("{folder}/__pycache__")).is_some();
    let tools = machine.catalog.tools();
    let (size, basis) = tools.python_run(after_pip);
    let compiled = |node: &Node| node.parts.iter().any(|part| part.kind == Kind::ByteCode);
    let sources = machine.tree.under(&site.packages).flat_map(|(path, node)| {
        let name = path.rsplit('/').next().unwrap_or_default();
        // Nothing imports the pip of the image.
        let skip = compiled(node) || machine.comes_with_python(name, site.python);
        let parts = if skip { &[][..] } else { &node.parts };
        parts
            .iter()
            .filter(|part| part.kind == Kind::PythonSource)
            .map(|part| part.size)
    });
    let (packages, _) = tools.byte_code(Size::sum(sources));
    let size = if writes {
        size.plus(tools.python_run_packages(packages))
    } else {
        // Its own files remain, as many as they may be.
        Size::range(0, 0, size.high)
    };
    let part = Part::main(Kind::ByteCode, size);
    machine.put(
        &path,
        "what the project's code writes, byte code of the modules that it loads",
        vec![part],
        &basis,
    );
}

/// Django's `collectstatic`: copies of the front-end files of the packages made for it, in a folder that the settings name.
fn static_files(invocation: &Invocation, machine: &mut Machine<'_>) {
    let site = machine.python_site(&invocation.program_path);
    let web = machine.tree.under(&site.packages).flat_map(|(path, node)| {
        let name = path.rsplit('/').next().unwrap_or_default();
        let parts = if name.starts_with("django") || name.starts_with("drf-") {
            &node.parts[..]
        } else {
            &[]
        };
        let web = parts.iter().filter(|part| part.kind == Kind::WebAssets);
        web.map(|part| part.size)
    });
    let (size, basis) = machine.catalog.tools().collected_static(Size::sum(web));
    // Nearly all of it is the admin's, which the settings name where it is used.
    let settings: Vec<&str> = machine
        .tree
        .under(&machine.cwd)
        .filter(|(path, _)| path.contains("settings") && path.ends_with(".py"))
        .filter_map(|(path, _)| machine.text(path))
        .collect();
    let admin = settings.iter().any(|text| text.contains("contrib.admin"));
    let size = if admin || settings.is_empty() {
        size
    } else {
        Size::range(0, 0, size.high)
    };
    machine.scatter(
        ".",
        &format!("static-{}", invocation.index),
        "static files that Django collects",
        Kind::WebAssets,
        (size, basis),
    );
}

/// A virtual environment: the interpreter's links and the bundled pip.
fn environment(invocation: &Invocation, machine: &mut Machine<'_>, skip: usize) {
    let base = machine.python_site("python");
    let (major, minor) = base.python;
    for folder in invocation.args[skip..]
        .iter()
        .flatten()
        .filter(|arg| !arg.starts_with('-'))
    {
        let folder = machine.absolute(folder);
        let path = format!("{folder}/pyvenv.cfg");
        let (whole, byte_code, basis) = machine.catalog.tools().venv(base.python);
        machine.put(
            &path,
            "",
            vec![Part::main(Kind::Text, Size::exact(100))],
            &basis,
        );
        if invocation.has(&["--without-pip"]) || invocation.has(&["--no-pip"]) {
            continue;
        }
        let source = Size::range(
            whole.low.saturating_sub(byte_code.high),
            whole.expected.saturating_sub(byte_code.expected),
            whole.high.saturating_sub(byte_code.low),
        );
        let mut parts = vec![Part::main(Kind::PythonSource, source)];
        if machine.variable("PYTHONDONTWRITEBYTECODE").is_none() {
            parts.push(Part::main(Kind::ByteCode, byte_code));
        }
        machine.put(
            &format!("{folder}/lib/python{major}.{minor}/site-packages/pip"),
            "pip of a new virtual environment",
            parts,
            &basis,
        );
    }
}

/// Byte code for every source file below a folder that has none yet: for packages that the tables know what they say, else by the bytes
/// of the source.
fn compile(invocation: &Invocation, machine: &mut Machine<'_>, skip: usize) {
    let site = machine.python_site(&invocation.program_path);
    let platform = machine.wheel_platform();
    for folder in invocation.args[skip..]
        .iter()
        .flatten()
        .filter(|arg| !arg.starts_with('-'))
    {
        let folder = machine.absolute(folder);
        let (mut known, mut source) = (Vec::new(), Vec::new());
        for (_, node) in machine.tree.under(&folder) {
            if node.parts.iter().any(|part| part.kind == Kind::ByteCode) {
                continue;
            }
            let (name, version) = match node.label.rsplit_once(' ') {
                Some((name, version)) => (name, Some(version)),
                None => (&*node.label, None),
            };
            let named = Some(name).filter(|name| !name.is_empty()).map(|name| {
                machine
                    .catalog
                    .python_package(name, version, site.python, platform)
            });
            match named.filter(|facts| facts.is_known()) {
                Some(facts) => known.push(facts.byte_code),
                None => source.extend(
                    node.parts
                        .iter()
                        .filter(|part| part.kind == Kind::PythonSource)
                        .map(|part| part.size),
                ),
            }
        }
        let tools = machine.catalog.tools();
        let (size, basis) = tools.byte_code(Size::sum(source));
        known.push(size);
        let part = Part::main(Kind::ByteCode, Size::sum(known));
        machine.put(
            &format!("{folder}/__pycache__"),
            "byte code",
            vec![part],
            &basis,
        );
    }
}
