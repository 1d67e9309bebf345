//! Which framework a Node application is written for, and what its image holds.

use super::manifest::{Manifest, inside};
use super::site::Site;
use super::{Delivery, entry};
use crate::context::Context;

/// A server framework: its package, what people call it, and the port of its own examples.
pub(super) struct Server {
    pub(super) package: &'static str,
    pub(super) name: &'static str,
    pub(super) loopback: bool,
}

/// Server frameworks; one that is built on another comes before it.
pub(super) const SERVERS: &[Server] = &[
    server("next", "next"),
    server("@nestjs/core", "nest"),
    // `listen` without `host` takes loopback alone.
    Server {
        package: "fastify",
        name: "fastify",
        loopback: true,
    },
    server("express", "express"),
    server("koa", "koa"),
    server("@hapi/hapi", "hapi"),
];

const fn server(package: &'static str, name: &'static str) -> Server {
    Server {
        package,
        name,
        loopback: false,
    }
}

/// Bundlers of front ends, and the folder that each writes unless told otherwise.
const BUNDLERS: &[(&str, &str, &str)] = &[
    ("vite", "vite", "dist"),
    ("react-scripts", "create-react-app", "build"),
    ("@vue/cli-service", "vue-cli", "dist"),
    ("parcel", "parcel", "dist"),
];

/// Programs that serve or watch a front end while it is written, or serve what was built: a `start` script that calls one asks for no
/// server of the application's own.
const FRONT_END_SERVERS: [&str; 9] = [
    "vite",
    "react-scripts",
    "react-app-rewired",
    "craco",
    "vue-cli-service",
    "parcel",
    "serve",
    "http-server",
    "live-server",
];

/// Whether a package is a front end that a bundler builds, and nothing serves.
pub(super) fn is_bundled(manifest: &Manifest) -> bool {
    manifest.script("build").is_some()
        && BUNDLERS.iter().any(|(package, ..)| manifest.names(package))
        && !SERVERS.iter().any(|server| manifest.needs(server.package))
        && manifest
            .script("start")
            .is_none_or(|script| starts_front_end(manifest, script, 4))
}

/// Whether a script is the bundler's own server, or calls another script that is. `depth` ends scripts that call each other.
fn starts_front_end(manifest: &Manifest, script: &str, depth: usize) -> bool {
    let words: Vec<&str> = script.split_ascii_whitespace().collect();
    if words.iter().any(|word| FRONT_END_SERVERS.contains(word)) {
        return !words.contains(&"node");
    }
    let called = match words.as_slice() {
        ["npm" | "pnpm" | "yarn", "run", name, ..] | ["pnpm" | "yarn", name, ..] => *name,
        _ => return false,
    };
    let called = manifest.script(called).filter(|_| depth > 0);
    called.is_some_and(|script| starts_front_end(manifest, script, depth - 1))
}

/// The server framework, else the bundler of a front end.
pub(super) fn framework(own: &Manifest, site: Option<&Site>) -> Option<&'static str> {
    SERVERS
        .iter()
        .find(|server| own.needs(server.package))
        .map(|server| server.name)
        .or_else(|| site.map(|site| site.framework))
        .or_else(|| {
            let mut bundlers = BUNDLERS.iter();
            let found = bundlers.find(|(package, ..)| is_bundled(own) && own.names(package));
            found.map(|(_, name, _)| *name)
        })
}

/// What the image holds.
pub(super) fn delivery(
    context: &Context,
    own: &Manifest,
    framework: Option<&'static str>,
    builds: &[String],
    site: Option<&Site>,
) -> Delivery {
    if let Some(site) = site {
        return site.delivery.clone();
    }
    if is_bundled(own) {
        let preset = BUNDLERS
            .iter()
            .find(|(package, ..)| own.names(package))
            .map_or("dist", |(_, _, folder)| folder);
        let told = ["vite.config.ts", "vite.config.js", "vite.config.mjs"]
            .iter()
            .find_map(|file| {
                entry::quoted_after(context.text(&inside(&own.folder, file))?, "outDir")
            });
        return Delivery::Static {
            output: told.unwrap_or_else(|| preset.to_owned()),
        };
    }
    if !builds.contains(&own.folder) {
        return Delivery::Sources;
    }
    if framework == Some("next") {
        return next(context, own);
    }
    match entry::output(context, own) {
        Some(output) => Delivery::Built { output },
        // What is started lies among the sources, and may read what the build leaves beside them.
        None => Delivery::Sources,
    }
}

/// What Next.js builds: a server with its packages, files alone, or what `next start` serves.
fn next(context: &Context, own: &Manifest) -> Delivery {
    let mut settings = ["next.config.js", "next.config.mjs", "next.config.ts"]
        .iter()
        .filter_map(|file| context.text(&inside(&own.folder, file)));
    match settings
        .find_map(|text| entry::quoted_after(text, "output"))
        .as_deref()
    {
        Some("standalone") => Delivery::Standalone,
        Some("export") => Delivery::Static {
            output: "out".into(),
        },
        _ => Delivery::Built {
            output: ".next".into(),
        },
    }
}
