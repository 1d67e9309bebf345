//! Frameworks that bring a bundler of their own, and decide themselves what a build is: a server, a handler, or files for a browser.
//!
//! What each writes, and where, is as its documentation says: `SvelteKit`'s adapters, React Router's and Remix's `build`, Astro's `outDir`,
//! Eleventy's `dir.output`.

use super::entry::quoted_after;
use super::manifest::{Manifest, inside};
use super::{Delivery, entry};
use crate::context::Context;

/// What a framework makes of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Site {
    /// What people call the framework.
    pub(super) framework: &'static str,
    /// What the image holds.
    pub(super) delivery: Delivery,
    /// The start command where no script says, or why it is not known.
    pub(super) command: Result<Vec<String>, String>,
    /// The port that its server takes.
    pub(super) port: Option<u16>,
}

/// The framework of this kind that a package is written for; nothing where the project serves what is built by itself.
pub(super) fn read(context: &Context, own: &Manifest) -> Option<Site> {
    own.script("build")?;
    if entry::starts_source(context, own) {
        return None;
    }
    let any = |names: &[&str]| names.iter().any(|name| own.names(name));
    if any(&["@sveltejs/kit"]) {
        Some(sveltekit(context, own))
    } else if any(&["@react-router/dev"]) {
        Some(router(context, own, "react-router", "React Router"))
    } else if any(&["@remix-run/dev", "@remix-run/serve"]) {
        // Before Vite its compiler wrote into `public` as well.
        own.names("vite")
            .then(|| router(context, own, "remix", "Remix"))
    } else if any(&["astro"]) {
        Some(astro(context, own))
    } else if any(&["@11ty/eleventy"]) {
        Some(eleventy(context, own))
    } else {
        None
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The settings of a tool, under any of the names that it may have.
fn settings<'c>(context: &'c Context, own: &Manifest, name: &str) -> &'c str {
    let ends = ["js", "mjs", "cjs", "ts", "mts"];
    let mut texts = ends
        .iter()
        .filter_map(|end| context.text(&inside(&own.folder, &format!("{name}.{end}"))));
    texts.next().unwrap_or_default()
}

/// The folder that a key of the settings names, else the preset.
fn folder(settings: &str, key: &str, preset: &str) -> String {
    quoted_after(settings, key).unwrap_or_else(|| preset.to_owned())
}

fn files(output: String) -> (Delivery, Result<Vec<String>, String>) {
    (Delivery::Static { output }, Ok(Vec::new()))
}

fn sveltekit(context: &Context, own: &Manifest) -> Site {
    let settings = settings(context, own, "svelte.config");
    let (delivery, command) = if own.names("@sveltejs/adapter-node") {
        let output = folder(settings, "out", "build");
        let command = words(&["node", &output]);
        (Delivery::Built { output }, Ok(command))
    } else if own.names("@sveltejs/adapter-static") {
        files(folder(settings, "pages", "build"))
    } else {
        let output = "build".to_owned();
        let why = "neither `@sveltejs/adapter-node` nor `@sveltejs/adapter-static` is among the packages, and SvelteKit builds what its adapter says";
        (Delivery::Built { output }, Err(why.to_owned()))
    };
    Site {
        framework: "sveltekit",
        delivery,
        command,
        port: Some(3000),
    }
}

/// React Router as a framework, and Remix, which it was before: a server unless `ssr: false`.
fn router(context: &Context, own: &Manifest, framework: &'static str, title: &str) -> Site {
    let config = settings(context, own, "react-router.config");
    let vite = settings(context, own, "vite.config");
    let off = [config, vite]
        .iter()
        .any(|text| text.contains("ssr: false"));
    let output = folder(config, "buildDirectory", "build");
    let (delivery, command) = if off {
        files(format!("{output}/client"))
    } else {
        let why = format!("no `start` script of `package.json` serves what {title} builds");
        (Delivery::Built { output }, Err(why))
    };
    Site {
        framework,
        delivery,
        command,
        port: Some(3000),
    }
}

fn astro(context: &Context, own: &Manifest) -> Site {
    let settings = settings(context, own, "astro.config");
    let output = folder(settings, "outDir", "dist");
    let others = [
        "@astrojs/vercel",
        "@astrojs/netlify",
        "@astrojs/cloudflare",
        "@deno/astro-adapter",
    ];
    let unknown = |output: String, why: &str| (Delivery::Built { output }, Err(why.to_owned()));
    let (delivery, command) = if own.names("@astrojs/node") {
        if settings.contains("standalone") {
            let entry = format!("{output}/server/entry.mjs");
            (Delivery::Built { output }, Ok(words(&["node", &entry])))
        } else {
            unknown(
                output,
                "Astro builds a handler for a server of the project's own (`mode: 'standalone'` would build a server)",
            )
        }
    } else if others.iter().any(|name| own.names(name)) || settings.contains("adapter:") {
        unknown(
            output,
            "Astro builds for an adapter other than `@astrojs/node`",
        )
    } else {
        files(output)
    };
    Site {
        framework: "astro",
        delivery,
        command,
        port: Some(4321),
    }
}

fn eleventy(context: &Context, own: &Manifest) -> Site {
    let told = [".eleventy", "eleventy.config"]
        .iter()
        .find_map(|name| quoted_after(settings(context, own, name), "output"));
    let told = told.or_else(|| {
        let mut words = own.script("build")?.split_ascii_whitespace();
        words.find_map(|word| word.strip_prefix("--output=").map(str::to_owned))
    });
    let (delivery, command) = files(told.unwrap_or_else(|| "_site".to_owned()));
    Site {
        framework: "eleventy",
        delivery,
        command,
        port: None,
    }
}
