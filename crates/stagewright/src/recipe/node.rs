//! Node: one stage for the packages of production, one for the build where there is one, and a last one that holds what the application
//! needs. A front end that a bundler builds is served by nginx.

mod command;
mod install;

use stagewright_syntax::write::{
    Cmd, Copy, Dockerfile, Env, Expose, From, Mount, Run, User, Workdir,
};

use self::command::Needs;
use self::install::{bring_manager, install};
pub(crate) use self::install::{install_run, rebuild};
use super::owned::Owned;
use super::python::apt_get_install;
use super::{RecipeOptions, UNPINNED_APT, USER, copy_each, dockerignore, ignoring, with_port};
use crate::facts::Catalog;
use crate::facts::node_image::NodeImages;
use crate::project::node::{Delivery, NodeManager};
use crate::project::{Generated, NodeProject, ProjectError};

/// What serves a front end.
const STATIC_SERVER: &str = "nginx:alpine-slim";

/// The port that examples of Node listen on, and the one that nginx gets, which a user without rights may take.
const PORT: u16 = 3000;
const STATIC_PORT: u16 = 8080;

/// Where the packages of production are installed, and where the build runs.
const DEPENDENCIES: &str = "dependencies";
const BUILDER: &str = "builder";

/// The newest Node whose slim image the catalogue has measured.
fn newest() -> Option<u32> {
    (18..60).rev().find(|major| {
        Catalog::builtin()
            .image(&format!("node:{major}-slim"), None)
            .is_some_and(|facts| facts.stale.is_none())
    })
}

/// Whether the words of a command name a package that is for developers: `node --import tsx`.
pub(crate) fn names_development(project: &NodeProject, command: &[String]) -> bool {
    matches!(command::needs(project, command), Needs::Development(_))
}

pub(crate) fn generate(
    project: &NodeProject,
    options: &RecipeOptions,
) -> Result<Generated, ProjectError> {
    let (mut found, mut questions) = (Vec::new(), Vec::new());
    let base = base_image(project, options, &mut found, &mut questions);
    say(project, &mut found, &mut questions);
    let compilers = compilers(project, &base, &mut found, &mut questions);
    let is_static = matches!(project.delivery, Delivery::Static { .. });
    let usual = if is_static { STATIC_PORT } else { PORT };
    let own_port = project.port.filter(|_| !is_static).unwrap_or(usual);
    let port = options.port.unwrap_or(own_port);
    if options.port.is_none() && (project.port.is_none() || is_static) {
        questions.push(format!("which port? {port} is taken"));
    } else if options.port.is_some() && port != own_port && !project.reads_port && !is_static {
        questions.push(format!(
            "does the application listen on {port}? no file of it reads the variable `PORT`"
        ));
    }
    let mut command = match (&options.command, &project.command) {
        (Some(command), _) | (None, Ok(command)) => command.clone(),
        (None, Err(why)) => return Err(ProjectError::NoCommand { why: why.clone() }),
    };
    if options.command.is_none() {
        with_port(&mut command, own_port, port);
    }
    let needs = command::needs(project, &command);
    command::say(project, &needs, &mut found, &mut questions);
    let mut file = Dockerfile::new();
    file.push(From::image(base.as_str()).named("base"));
    // What only a build needs comes into a stage that the last one does not stand on. Node alone is all that most applications need.
    let manager = bring_manager(project);
    let plain = plain_base(project, &base, &command);
    let last = if let Some(plain) = &plain {
        plain
    } else if manager.is_some() || is_static || !compilers.is_empty() {
        base.as_str()
    } else {
        "base"
    };
    if !compilers.is_empty() {
        ignoring(&mut file, &UNPINNED_APT);
        file.push(Run::shell(apt_get_install(&compilers)));
    }
    if let Some(run) = manager {
        file.push(run);
    }
    file.push(Workdir::new("/app"));
    let of_packages = matches!(project.delivery, Delivery::Sources | Delivery::Built { .. });
    let of_developers = matches!(needs, Needs::Development(_));
    if of_packages && (project.needs_packages || of_developers) {
        file.blank();
        file.push(From::image("base").named(DEPENDENCIES));
        install(&mut file, project, !of_developers);
    }
    builder(&mut file, project);
    file.blank();
    if is_static {
        serve(&mut file, project, port);
    } else {
        file.push(From::image(last));
        if plain.is_some() {
            file.push(Copy::files([NodeImages::PROGRAM], "/usr/local/bin/").from("base"));
        }
        run(&mut file, project, last, port, options, command);
    }
    let dockerfile = file
        .print()
        .map_err(|source| ProjectError::Unwritable { source })?;
    let wanted = project
        .manifests
        .iter()
        .chain(&project.build_sources)
        .chain(&project.sources);
    let never = [
        "**/node_modules",
        "**/*.test.*",
        "**/*.spec.*",
        "**/__tests__",
    ];
    Ok(Generated {
        recipe: "node",
        dockerfile,
        dockerignore: dockerignore(wanted, &never),
        found,
        questions,
    })
}

/// The stage in which the build scripts run, where there are some.
fn builder(file: &mut Dockerfile, project: &NodeProject) {
    if project.builds.is_empty() && project.builds_beside.is_empty() {
        return;
    }
    file.blank();
    file.push(From::image("base").named(BUILDER));
    install(file, project, false);
    let of_package = |name: &&String| {
        let mut folders = project.packages.iter();
        folders.any(|folder| is_inside(name, folder))
    };
    let read = [".json", ".yaml", ".yml", ".lock"];
    let manifests = project
        .manifests
        .iter()
        .filter(|name| !of_package(name) && read.iter().any(|end| name.ends_with(end)));
    let mut sources: Vec<&String> = manifests.chain(&project.build_sources).collect();
    if !project.builds_beside.is_empty() {
        let others = project.sources.iter();
        let others = others.filter(|name| !project.build_sources.contains(name));
        sources.extend(others);
    }
    copy_each(file, sources, None);
    file.push(Run::shell(build(project)));
}

fn is_inside(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// The image that the stages are built on.
fn base_image(
    project: &NodeProject,
    options: &RecipeOptions,
    found: &mut Vec<String>,
    questions: &mut Vec<String>,
) -> String {
    if let Some(base) = &options.base {
        return base.clone();
    }
    let newest = newest();
    let major = match (&project.node, newest) {
        (Some(version), Some(newest)) if version.at_least && newest > version.major => {
            found.push(format!(
                "`{}` asks for Node {} or later: {newest} is taken",
                version.file, version.major
            ));
            Some(newest)
        }
        (Some(version), _) => {
            found.push(format!(
                "`{}` asks for Node {}",
                version.file, version.major
            ));
            Some(version.major)
        }
        (None, newest) => {
            let taken = newest.map_or("the newest".to_owned(), |major| major.to_string());
            questions.push(format!(
                "which Node? no file says (`engines` in `package.json` would); {taken} is taken"
            ));
            newest
        }
    };
    major.map_or("node:slim".to_owned(), |major| format!("node:{major}-slim"))
}

/// The image that the base is made of, where the application runs with Node alone.
fn plain_base(project: &NodeProject, base: &str, command: &[String]) -> Option<String> {
    let alone = command.first().is_some_and(|program| program == "node")
        && project.own_scripts.is_empty()
        && !project.calls_manager;
    let catalog = Catalog::builtin();
    let facts = catalog.image(base, None).filter(|_| alone)?;
    let plain = catalog.node_images().plain(base, &facts)?;
    catalog.image(&plain, None).map(|_| plain)
}

/// What was found, and what is left open.
fn say(project: &NodeProject, found: &mut Vec<String>, questions: &mut Vec<String>) {
    let program = project.manager.program();
    match &project.lock {
        Some(lock) => found.push(format!("`{lock}` is of {program}")),
        None => questions.push(format!(
            "which versions? there is no lock file: {program} takes the newest that `package.json` allows"
        )),
    }
    if let Some(framework) = project.framework {
        found.push(format!("`package.json` lists {framework}"));
    }
    if project.packages.len() > 1 {
        found.push(format!(
            "`{}` needs these packages of the repository: {}",
            project.folder,
            project.packages.join(", ")
        ));
    }
    match &project.delivery {
        Delivery::Sources => say_of_builds(project, found, questions),
        Delivery::Built { output } | Delivery::Static { output } => {
            found.push(format!("the build writes into `{output}`"));
        }
        Delivery::Standalone => {
            found.push("Next.js writes a server with the packages it needs".into());
        }
    }
    questions.extend(project.writes.questions.iter().cloned());
    questions.extend(project.variables.iter().cloned());
    if project.loopback {
        questions.push("does the application listen on all addresses? its framework takes loopback alone unless `listen` is given a `host`".into());
    }
    if !project.own_scripts.is_empty() {
        found.push(format!(
            "`package.json` has an install run {}: it runs when the sources are there",
            project.own_scripts.join(" and ")
        ));
    } else if !project.lifecycle.is_empty() {
        questions.push(format!(
            "does {} of `package.json` need to run? an install without the sources leaves it out",
            project.lifecycle.join(" and ")
        ));
        if project.scripted.is_none() && project.manager == NodeManager::Npm {
            questions.push(
                "do packages run scripts when they are installed? no lock file says which, and they are left out"
                    .into(),
            );
        }
    }
    if project.plug_n_play {
        questions.push(
            "may packages lie in `node_modules`? yarn's plug'n'play is turned off in the image"
                .into(),
        );
    }
}

/// A build beside the sources: nobody can tell which of what it leaves is read.
fn say_of_builds(project: &NodeProject, found: &mut Vec<String>, questions: &mut Vec<String>) {
    if project.builds_beside.is_empty() {
        return;
    }
    found.push(
        "`package.json` has a script `build`: it runs, and what it leaves beside the sources comes along"
            .into(),
    );
    if project.build_installs {
        questions.push(
            "does the running application need the packages that the script `build` installs? they come along"
                .into(),
        );
    }
}

/// The Debian packages that compile those of Node.
fn compilers(
    project: &NodeProject,
    base: &str,
    found: &mut Vec<String>,
    questions: &mut Vec<String>,
) -> Vec<&'static str> {
    let catalog = Catalog::builtin();
    if project.compiled.is_empty() {
        return Vec::new();
    }
    let packages = project.compiled.join(", ");
    let debian = catalog
        .image(base, None)
        .is_none_or(|facts| facts.offers.command("apt-get") != Some(false));
    if !debian {
        questions.push(format!("`{packages}` is compiled when it is installed: which system packages does it need on `{base}`?"));
        return Vec::new();
    }
    let build = &catalog.tools().node_gyp().build;
    found.push(format!(
        "`{packages}` is compiled when it is installed: {} build it",
        build.join(", ")
    ));
    build.iter().map(String::as_str).collect()
}

/// The command that builds the application, what it needs of the repository first.
fn build(project: &NodeProject) -> String {
    let one = |folder: &String| match (project.manager, folder.as_str()) {
        (manager, "") => format!("{} run build", manager.program()),
        (NodeManager::Npm, folder) => format!("npm run build --workspace={folder}"),
        (NodeManager::Pnpm, folder) => format!("pnpm --dir {folder} run build"),
        (_, folder) => format!("yarn --cwd {folder} run build"),
    };
    let folders = project.builds.iter().chain(&project.builds_beside);
    let all: Vec<String> = folders.map(one).collect();
    let mut script = all.join(" && ");
    if !project.builds_beside.is_empty() {
        // The last stage has the packages of production from elsewhere.
        let packages = project.packages.iter();
        let packages = packages.map(|folder| inside(folder, "node_modules"));
        let all: Vec<String> = ["node_modules".to_owned()]
            .into_iter()
            .chain(packages)
            .collect();
        script = format!("{script} && rm -rf {}", all.join(" "));
    }
    if project.framework == Some("next") {
        script = format!("NEXT_TELEMETRY_DISABLED=1 {script}");
    }
    script
}

/// A last stage that serves files.
fn serve(file: &mut Dockerfile, project: &NodeProject, port: u16) {
    let Delivery::Static { output } = &project.delivery else {
        return;
    };
    file.push(From::image(STATIC_SERVER));
    // Every folder that nginx writes to is in one that all users may; an address of the application's own is answered by its page.
    let config = [
        "worker_processes auto;".to_owned(),
        "pid /tmp/nginx.pid;".to_owned(),
        "error_log /dev/stderr warn;".to_owned(),
        "events { worker_connections 1024; }".to_owned(),
        "http {".to_owned(),
        "  include /etc/nginx/mime.types;".to_owned(),
        "  access_log /dev/stdout;".to_owned(),
        "  gzip on;".to_owned(),
        "  client_body_temp_path /tmp/client;".to_owned(),
        "  proxy_temp_path /tmp/proxy;".to_owned(),
        "  fastcgi_temp_path /tmp/fastcgi;".to_owned(),
        "  uwsgi_temp_path /tmp/uwsgi;".to_owned(),
        "  scgi_temp_path /tmp/scgi;".to_owned(),
        "  server {".to_owned(),
        format!("    listen {port};"),
        "    root /usr/share/nginx/html;".to_owned(),
        format!("    location / {{ {} }}", answer(project)),
        "  }".to_owned(),
        "}".to_owned(),
    ];
    let mut lines = vec!["printf '%s\\n'".to_owned()];
    // Variables of nginx, which no shell knows.
    lines.extend(config.map(|line| {
        if line.contains('$') {
            format!("\"{}\"", line.replace('$', "\\$"))
        } else {
            format!("'{line}'")
        }
    }));
    lines.push("> /etc/nginx/nginx.conf".to_owned());
    file.push(Run::lines(lines));
    let folder = inside(&root(project), output);
    file.push(Copy::files([format!("{folder}/")], "/usr/share/nginx/html/").from(BUILDER));
    file.push(User::new(USER));
    file.push(Expose::new([port]));
    file.push(Cmd::exec(["nginx", "-g", "daemon off;"]));
}

/// What answers an address: of a site a page or nothing, of one page with a router of its own that page.
fn answer(project: &NodeProject) -> &'static str {
    match project.framework {
        Some("next" | "astro" | "eleventy" | "sveltekit") => "try_files $uri $uri.html $uri/ =404;",
        _ => "try_files $uri $uri/ /index.html;",
    }
}

/// The application's package in a stage.
fn root(project: &NodeProject) -> String {
    if project.folder.is_empty() {
        "/app".to_owned()
    } else {
        format!("/app/{}", project.folder)
    }
}

fn inside(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// The rest of a last stage that runs Node.
fn run(
    file: &mut Dockerfile,
    project: &NodeProject,
    last: &str,
    port: u16,
    options: &RecipeOptions,
    command: Vec<String>,
) {
    let mut env = Env::new().set("NODE_ENV", "production");
    if project.framework == Some("next") {
        env = env
            .set("HOSTNAME", "0.0.0.0")
            .set("NEXT_TELEMETRY_DISABLED", "1");
    }
    if command.iter().any(|word| word.ends_with("pm2-runtime")) {
        // It keeps its logs and sockets there.
        env = env.set("PM2_HOME", "/tmp/.pm2");
    }
    if project.framework == Some("astro") {
        // Its server takes loopback alone unless told otherwise.
        env = env.set("HOST", "0.0.0.0");
    }
    if options.port.is_some() || project.framework == Some("next") {
        env = env.set("PORT", port.to_string());
    }
    file.push(env);
    if last != "base" {
        file.push(Workdir::new("/app"));
    }
    let whole = !project.builds_beside.is_empty() || project.delivery == Delivery::Standalone;
    let owned = Owned::new(&project.writes.folders, &project.sources, whole);
    owned.make(file);
    let of_developers = matches!(command::needs(project, &command), Needs::Development(_));
    contents(
        file,
        project,
        &owned,
        project.needs_packages || of_developers,
    );
    if !project.own_scripts.is_empty() {
        let scripts = project.own_scripts.iter();
        let scripts: Vec<String> = scripts.map(|name| format!("npm run {name}")).collect();
        file.push(Run::shell(scripts.join(" && ")).mount(Mount::cache("/root/.npm")));
    }
    if !project.folder.is_empty() {
        file.push(Workdir::new(format!("/app/{}", project.folder)));
    }
    file.push(User::new(USER));
    file.push(Expose::new([port]));
    file.push(Cmd::exec(command));
}

/// What the last stage holds of packages, builds and sources.
fn contents(file: &mut Dockerfile, project: &NodeProject, owned: &Owned, installed: bool) {
    let own = |name: &str| inside(&project.folder, name);
    let manifests: Vec<String> = if project.packages.is_empty() {
        vec!["package.json".to_owned()]
    } else {
        let folders = project.packages.iter();
        folders
            .map(|folder| format!("{folder}/package.json"))
            .collect()
    };
    if project.delivery == Delivery::Standalone {
        let folder = root(project);
        file.push(Copy::files([format!("{folder}/.next/standalone/")], "./").from(BUILDER));
        let assets = inside(".", &own(".next/static"));
        file.push(
            Copy::files([format!("{folder}/.next/static/")], format!("{assets}/")).from(BUILDER),
        );
        if project
            .build_sources
            .iter()
            .any(|name| *name == own("public/"))
        {
            file.push(Copy::files([own("public/")], inside(".", &own("public/"))));
        }
        owned.make_inner(file);
    } else {
        // Of a repository with workspaces the folders of its packages hold links and packages of their own.
        if project.packages.is_empty() {
            if installed {
                file.push(Copy::files(["/app/node_modules"], "./node_modules").from(DEPENDENCIES));
            }
        } else {
            file.push(Copy::files(["/app/"], "./").from(DEPENDENCIES));
        }
        if !project.builds_beside.is_empty() {
            file.push(Copy::files(["/app/"], "./").from(BUILDER));
            owned.make_inner(file);
            return;
        }
        // Where a package is copied whole, its manifest comes along.
        let whole = |name: &&String| {
            let mut sources = project.sources.iter();
            !sources.any(|source| source.ends_with('/') && name.starts_with(source.as_str()))
        };
        copy_each(file, manifests.iter().filter(whole), None);
        if let Delivery::Built { output } = &project.delivery {
            let mut folders: Vec<String> = project
                .builds
                .iter()
                .filter(|folder| **folder != project.folder)
                .map(|folder| format!("{folder}/dist/"))
                .collect();
            folders.push(format!("{}/", own(output)));
            copy_each(file, &folders, Some((BUILDER, "/app")));
        }
        owned.copy(file, &project.sources);
    }
}
