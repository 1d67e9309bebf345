//! Which files of a Node application its build reads, and which the running application.

use super::manifest::inside;
use super::{Delivery, LOCKS};
use crate::context::Context;
use crate::project::named::top;

/// Folders that neither a build nor a running application reads.
pub(super) fn is_unneeded_folder(name: &str) -> bool {
    name.starts_with('.')
        || matches!(
            name,
            "node_modules"
                | "test"
                | "tests"
                | "__tests__"
                | "spec"
                | "e2e"
                | "cypress"
                | "docs"
                | "doc"
                | "coverage"
                | "examples"
        )
}

fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// Settings of tools that no build of the application reads.
fn is_tool_setting(name: &str) -> bool {
    [
        "eslint",
        "jest",
        "vitest",
        "prettier",
        "nodemon",
        "cypress",
        "playwright",
        "commitlint",
        "lint-staged",
        "biome",
        "renovate",
    ]
    .iter()
    .any(|tool| name.starts_with(tool))
}

fn is_manifest(name: &str) -> bool {
    matches!(name, "package.json" | "pnpm-workspace.yaml")
        || LOCKS.iter().any(|(lock, _)| *lock == name)
}

/// Whether a file holds variables that bundlers write into what they build (Vite, Create React App, Vue CLI, Next.js and Astro read them),
/// and is in the repository for that: git does not leave it out.
fn is_setting_of_build(context: &Context, name: &str) -> bool {
    let ignored = context.text(".gitignore").is_some_and(|text| {
        let mut lines = text.lines().map(|line| line.trim().trim_start_matches('/'));
        lines.any(|line| line == name || matches!(line, ".env*" | ".env.*" | "*.production"))
    });
    name == ".env.production" && !ignored
}

/// What the build reads at the top of the context: sources, and the settings of compilers and bundlers.
pub(super) fn build_sources(
    context: &Context,
    packages: &[String],
    framework: Option<&str>,
) -> Vec<String> {
    // The pages themselves may lie at the top.
    let is_page = |name: &str| {
        let pages = [
            "md", "njk", "liquid", "hbs", "ejs", "pug", "mustache", "haml", "webc",
        ];
        let of_tool = name == ".eleventy.js" || name == ".eleventyignore";
        framework == Some("eleventy") && (of_tool || pages.contains(&extension(name)))
    };
    let mut sources: Vec<String> = top(context, "")
        .into_iter()
        .filter(|name| match name.strip_suffix('/') {
            Some(folder) => {
                // Of a repository with workspaces only the packages that are needed.
                packages.is_empty() && !is_unneeded_folder(folder)
            }
            None => {
                is_page(name)
                    || is_setting_of_build(context, name)
                    || matches!(
                        name.as_str(),
                        ".babelrc" | ".swcrc" | ".browserslistrc" | ".postcssrc"
                    )
                    || !name.starts_with('.')
                        && matches!(
                            extension(name),
                            "js" | "mjs"
                                | "cjs"
                                | "ts"
                                | "mts"
                                | "json"
                                | "html"
                                | "vue"
                                | "svelte"
                        )
                        && !is_tool_setting(name)
                        && !is_manifest(name)
            }
        })
        .collect();
    sources.extend(packages.iter().map(|folder| format!("{folder}/")));
    sources
}

/// What the running application reads of the sources, relative to the context.
pub(super) fn run_sources(
    context: &Context,
    folder: &str,
    packages: &[String],
    delivery: &Delivery,
) -> Vec<String> {
    let wanted = |name: &str| match (delivery, name.strip_suffix('/')) {
        (Delivery::Static { .. } | Delivery::Standalone, _) => false,
        (Delivery::Built { output }, Some(folder)) => {
            folder != output.split('/').next().unwrap_or_default()
                && matches!(
                    folder,
                    "public"
                        | "static"
                        | "views"
                        | "templates"
                        | "assets"
                        | "locales"
                        | "migrations"
                )
        }
        (Delivery::Built { output }, None) => output == ".next" && name.starts_with("next.config."),
        (Delivery::Sources, Some(folder)) => !is_unneeded_folder(folder),
        (Delivery::Sources, None) => {
            !name.starts_with('.')
                && matches!(
                    extension(name),
                    "js" | "mjs" | "cjs" | "json" | "html" | "sql" | "graphql"
                )
                && !name.contains(".config.")
                && !name.starts_with("tsconfig")
                && !name.starts_with("jsconfig")
                && !is_tool_setting(name)
                && !is_manifest(name)
        }
    };
    let mut sources: Vec<String> = top(context, folder)
        .into_iter()
        .filter(|name| wanted(name))
        .map(|name| inside(folder, &name))
        .collect();
    // Packages of the repository beside the application's own.
    if *delivery == Delivery::Sources {
        let others = packages.iter().filter(|other| *other != folder);
        sources.extend(others.map(|other| format!("{other}/")));
    }
    sources
}
