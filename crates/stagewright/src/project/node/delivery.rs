//! Which framework a Node application is written for, and what its image holds.

use super::manifest::{Manifest, inside};
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

/// Whether a package is a front end that a bundler builds, and nothing serves.
pub(super) fn is_bundled(manifest: &Manifest) -> bool {
    manifest.script("build").is_some()
        && BUNDLERS.iter().any(|(package, ..)| manifest.names(package))
        && !SERVERS.iter().any(|server| manifest.needs(server.package))
}

/// The server framework, else the bundler of a front end.
pub(super) fn framework(own: &Manifest) -> Option<&'static str> {
    SERVERS
        .iter()
        .find(|server| own.needs(server.package))
        .map(|server| server.name)
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
) -> Delivery {
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
        let standalone = ["next.config.js", "next.config.mjs", "next.config.ts"]
            .iter()
            .filter_map(|file| context.text(&inside(&own.folder, file)))
            .any(|text| entry::quoted_after(text, "output").as_deref() == Some("standalone"));
        return if standalone {
            Delivery::Standalone
        } else {
            Delivery::Built {
                output: ".next".into(),
            }
        };
    }
    match entry::output(context, own) {
        Some(output) => Delivery::Built { output },
        // What is started lies among the sources, and may read what the build leaves beside them.
        None => Delivery::Sources,
    }
}
