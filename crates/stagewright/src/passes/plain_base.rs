//! The plain Debian that an official slim image of Node is made of, with Node alone: npm, yarn and headers stay in the stages that build.
//!
//! ```text
//! FROM node:22-slim AS base        FROM debian:bookworm-slim
//! WORKDIR /app                     RUN groupadd … node && useradd … node
//! FROM base AS builder             COPY --from=base /usr/local/bin/node /usr/local/bin/docker-entrypoint.sh /usr/local/bin/
//! …                                ENTRYPOINT ["docker-entrypoint.sh"]
//! FROM base                        WORKDIR /app
//! ```
//!
//! The images of Node are Debian's slim image, a user `node`, the archive of nodejs.org and yarn; what they fetch these with is removed
//! again (nodejs/docker-node, `Dockerfile-slim.template`, 2026-08-19). So nothing else is missing.
//!
//! An install in the last stage needs npm there: it gets a stage of its own in the same rewrite, since the one wins nothing without the
//! other.

pub(super) mod last_base;

use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::{Dockerfile, Span, write};

use self::last_base::LastBase;
use super::direct_start::passes_on;
use super::{Pass, RunStep, View, split_stages};
use crate::facts::ImageFacts;
use crate::facts::node_image::NodeImages;
use crate::project::node::MANAGERS;
use crate::proposal::{Applicability, Proposal};
use crate::stage::Base;

pub(super) const PASS: Pass = Pass {
    name: "plain_base",
    mends: false,
    propose,
};

/// The name by which the images call their script.
const ENTRYPOINT: &str = "docker-entrypoint.sh";

/// The user that the images have (`Dockerfile-slim.template`).
const USER: &str = "groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node";

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let proposal = match plain(view)? {
        None => plain_after_split(view)?,
        proposal => proposal,
    };
    Ok(proposal.into_iter().collect())
}

/// The plain base below a last stage that installs nothing any more.
fn plain_after_split(view: &View<'_>) -> Result<Option<Proposal>, EditError> {
    let catalog = view.analysis.catalog();
    let of_node = match &view.analysis.graph().target_stage().base {
        Base::Image(image) => view
            .analysis
            .image(image)
            .and_then(|facts| catalog.node_images().plain(image, facts)),
        _ => None,
    };
    let Some(split) = of_node.and_then(|_| split_stages::split(view, true)) else {
        return Ok(None);
    };
    let text = split.edits.apply(view.file.text());
    let Ok(analysis) = view.analysis.with(&text, None) else {
        return Ok(None);
    };
    let file = Dockerfile::parse(&text);
    let after = View {
        analysis: &analysis,
        file: &file,
    };
    let Some(mut proposal) = plain(&after)? else {
        return Ok(None);
    };
    let whole = Span::from(0..view.file.text().len());
    let text = proposal.edits.apply(&text);
    proposal.edits = EditSet::new();
    proposal.edits.replace(whole, text)?;
    proposal.title = format!("{}, with a builder stage for the packages", proposal.title);
    proposal.assumptions.splice(0..0, split.assumptions);
    Ok(Some(proposal))
}

fn plain(view: &View<'_>) -> Result<Option<Proposal>, EditError> {
    let Some(base) = LastBase::of(view, brings_managers) else {
        return Ok(None);
    };
    let Some(facts) = view.analysis.image(base.image) else {
        return Ok(None);
    };
    let catalog = view.analysis.catalog();
    let as_of = view.analysis.options().as_of.as_deref();
    let Some(plain) = catalog.node_images().plain(base.image, facts) else {
        return Ok(None);
    };
    let Some(has) = catalog.image(&plain, as_of) else {
        return Ok(None);
    };
    if !runs_node_alone(view, &base, facts, &has) {
        return Ok(None);
    }
    let mut first = vec![write::Run::shell(USER).to_string()];
    // The stage that is shared has the very same file, so that the version is written once. Of one that builds, nobody could say before the
    // build that it does not touch the file.
    let shared = base.shared.and_then(|shared| shared.name.as_deref());
    let source = shared.unwrap_or(base.image);
    let config = &base.last.end.config;
    let entry = config.entrypoint.as_deref() == Some(&[ENTRYPOINT.to_owned()]);
    let mut words = [&config.entrypoint, &config.cmd]
        .into_iter()
        .flatten()
        .flatten();
    let called = words.any(|word| word == ENTRYPOINT);
    let mut files = vec![NodeImages::PROGRAM];
    files.extend(called.then_some(NodeImages::ENTRYPOINT));
    first.push(format!(
        "{} --from={source} {} /usr/local/bin/",
        view.keyword("COPY"),
        files.join(" "),
    ));
    if entry {
        first.push(format!("{} [\"{ENTRYPOINT}\"]", view.keyword("ENTRYPOINT")));
    }
    let mut edits = EditSet::new();
    base.write(view, &plain, &first, &[], &mut edits)?;
    let image = base.image;
    Ok(Some(
        Proposal::new(
            format!("`{plain}` and Node instead of `{image}`"),
            Applicability::Safe,
            edits,
        )
        .assuming([
            "nothing that runs in the container calls npm, npx, corepack, yarn or pnpm".to_owned(),
            format!("`{image}` stands on `{plain}` when it is built"),
            "nothing reads `NODE_VERSION` or `YARN_VERSION`, which the image of Node sets"
                .to_owned(),
        ]),
    ))
}

/// Whether a RUN does nothing but bring package managers or set them up.
fn brings_managers(step: &RunStep<'_>) -> bool {
    let facts = step.facts();
    let manager = |name: &str| MANAGERS.contains(&name) || name == "@yarnpkg/cli-dist";
    facts.unmodelled.is_empty()
        && facts.reads.anything.is_none()
        && facts.programs.iter().all(|program| manager(program))
        && facts.installs.iter().all(|install| {
            install.manifests.is_empty() && install.packages.iter().all(|(name, _)| manager(name))
        })
}

/// Whether what is started is Node itself, and nothing in the last stage or in the container calls what only the image of Node has.
fn runs_node_alone(
    view: &View<'_>,
    base: &LastBase<'_>,
    facts: &ImageFacts,
    plain: &ImageFacts,
) -> bool {
    let last = base.last;
    let config = &last.end.config;
    let mut words = [&config.entrypoint, &config.cmd]
        .into_iter()
        .flatten()
        .flatten()
        .skip_while(|word| passes_on(view, word));
    if words
        .next()
        .is_none_or(|word| word != "node" && word != NodeImages::PROGRAM)
    {
        return false;
    }
    // What the image brings, and what a RUN of the shared stage has brought that is not said again.
    let offered = facts.offers.commands.iter().map(String::as_str);
    let lost: Vec<&str> = offered
        .filter(|program| plain.offers.command(program) != Some(true))
        .filter(|program| *program != "node" && *program != ENTRYPOINT)
        .chain(MANAGERS)
        .collect();
    let runs = view.runs();
    let mut runs = runs.iter().filter(|step| step.stage.id == last.id);
    let same = runs.all(|step| {
        step.facts().unmodelled.is_empty()
            && !step
                .facts()
                .programs
                .iter()
                .any(|one| lost.contains(&one.as_str()))
            && !step.instruction.text.contains("node_modules/npm")
    });
    // Another image or stage may be made of this one, and the version may be written on.
    let mut stages = view.analysis.graph().stages.iter();
    let below =
        stages.any(|stage| stage.base == Base::Stage(last.id)) || !config.onbuild.is_empty();
    let versions = ["NODE_VERSION", "YARN_VERSION"];
    let told = |text: &str| versions.iter().any(|name| text.contains(name));
    let mut said = base
        .shared
        .into_iter()
        .chain([last])
        .flat_map(|stage| &stage.instructions);
    let told = said.any(|one| told(&one.text)) || view.analysis.sources().any(told);
    same && !below
        && !told
        && matches!(last.platform.arch.as_str(), "amd64" | "arm64")
        && !lost.iter().any(|program| view.analysis.uses(program))
        && last.instructions.iter().all(|one| !one.trigger)
}
