//! A smaller sibling of the base image, where everything the build uses is there as well.

use stagewright_syntax::View as Typed;
use stagewright_syntax::edit::{EditError, EditSet};

use super::{Pass, View};
use crate::facts::tools::Needs;
use crate::facts::{ImageFacts, ImageFit, Libc, WheelFit};
use crate::proposal::{Applicability, Proposal};
use crate::stage::Base;

pub(super) const PASS: Pass = Pass {
    name: "slimmer_base",
    mends: false,
    propose,
};

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let graph = view.analysis.graph();
    let root = graph.stage(graph.chain()[0]);
    let Base::Image(image) = &root.base else {
        return Ok(Vec::new());
    };
    let Some(facts) = view.analysis.image(image) else {
        return Ok(Vec::new());
    };
    // Every stage on the same image moves with it: what one builds, another runs.
    let mut places = Vec::new();
    for stage in graph
        .stages
        .iter()
        .filter(|stage| stage.reachable && stage.base == Base::Image(image.clone()))
    {
        let Typed::From(from) = view.file.instruction(stage.from).view() else {
            return Ok(Vec::new());
        };
        if from.image.contains('$') || from.image.contains('@') {
            return Ok(Vec::new());
        }
        places.push(from.image.span);
    }
    let mut proposals = Vec::new();
    if facts.python.is_none() && facts.node.is_none() {
        return Ok(Vec::new());
    }
    let (catalog, as_of) = (
        view.analysis.catalog(),
        view.analysis.options().as_of.as_deref(),
    );
    for candidate in catalog.variants(&facts.family, &facts.tag, as_of) {
        // The version stays as it is written; the images of a version are published in all variants at once.
        let reference = facts.in_variant_of(&candidate);
        let candidate = match reference {
            Some(reference) => catalog.image(&reference, as_of),
            None => (facts.fit != ImageFit::Family).then_some(candidate),
        };
        let Some(candidate) = candidate else {
            continue;
        };
        if candidate.compressed.expected >= facts.compressed.expected {
            continue;
        }
        let Some(check) = check(view, facts, &candidate) else {
            continue;
        };
        let mut edits = EditSet::new();
        for span in &places {
            edits.replace(*span, candidate.reference.clone())?;
        }
        let mut assumptions = vec![format!(
            "the application calls no program and loads no library that only `{image}` has"
        )];
        if candidate.fit == ImageFit::Family {
            assumptions.push(format!(
                "there is an image `{}`: the catalogue knows only other versions",
                candidate.reference
            ));
        }
        if candidate.libc != facts.libc {
            assumptions.push(
                "the application does not depend on glibc (locales, name resolution, stack size)"
                    .into(),
            );
        }
        proposals.push(Proposal {
            title: format!("base image `{}` instead of `{image}`", candidate.reference),
            applicability: check.applicability,
            assumptions,
            warnings: check.warnings,
            edits,
            dockerignore: None,
        });
    }
    Ok(proposals)
}

struct Check {
    applicability: Applicability,
    warnings: Vec<String>,
}

fn has(image: &ImageFacts, program: &str) -> bool {
    image.offers.command(program) == Some(true)
}

/// Whether the build still works on the candidate; `None` where it is known not to.
fn check(view: &View<'_>, facts: &ImageFacts, candidate: &ImageFacts) -> Option<Check> {
    let other_libc = candidate.libc != facts.libc;
    let mut check = Check {
        applicability: if other_libc {
            Applicability::Unsafe
        } else {
            Applicability::Safe
        },
        warnings: Vec::new(),
    };
    let analysis = view.analysis;
    let mut compiler = has(candidate, "gcc");
    // What the container calls, and only the larger image has.
    let installed: Vec<String> = view
        .runs()
        .iter()
        .flat_map(|step| &step.facts().installs)
        .flat_map(|install| &install.packages)
        .map(|(name, _)| name.clone())
        .collect();
    let lost = |program: &str| {
        has(facts, program)
            && !has(candidate, program)
            && !installed.iter().any(|name| name == program)
    };
    if view.analysis.called().iter().any(|program| lost(program))
        || facts
            .offers
            .commands
            .iter()
            .any(|program| lost(program) && view.analysis.uses(program))
    {
        return None;
    }
    // Libraries that packages load by name, and only the larger image has.
    let bare = facts.offers.commands.len() > candidate.offers.commands.len();
    let brings = |needs: &Needs| needs.libraries.iter().any(|one| installed.contains(one));
    let mut unmet = analysis.unmet_needs().iter();
    if bare && unmet.any(|needs| !needs.libraries.is_empty() && !brings(needs)) {
        return None;
    }
    if bare && analysis.sources().any(loads_libraries) {
        check.applicability = check.applicability.max(Applicability::Unsafe);
        check.warnings.push(format!(
            "a source loads shared libraries by name: whether `{}` has them is not known",
            candidate.reference
        ));
    }
    for step in view.runs() {
        if analysis.record().stages[step.stage.id.0].image.as_deref()
            != Some(analysis.base_reference()?)
        {
            continue;
        }
        let facts_of_run = step.facts();
        for install in &facts_of_run.installs {
            // Another distribution has another package manager, and other names for its packages.
            match install.tool {
                "apt-get" if !has(candidate, "apt-get") => return None,
                "apk" if !has(candidate, "apk") => return None,
                "apt-get" | "apk" => {
                    compiler |= install.packages.iter().any(|(name, _)| {
                        matches!(
                            name.as_str(),
                            "gcc" | "g++" | "build-essential" | "build-base"
                        )
                    });
                }
                _ => {}
            }
        }
        let installed: Vec<&str> = facts_of_run
            .installs
            .iter()
            .flat_map(|install| &install.packages)
            .map(|(name, _)| name.as_str())
            .collect();
        for program in facts_of_run.programs.iter().chain(&facts_of_run.calls) {
            if has(facts, program)
                && !has(candidate, program)
                && !installed.contains(&program.as_str())
            {
                return None;
            }
        }
        if !facts_of_run.unmodelled.is_empty() {
            check.applicability = check.applicability.max(Applicability::Suggestion);
            check.warnings.push(format!(
                "no model knows `{}`: whether it works on `{}` is not known",
                facts_of_run.unmodelled[0], candidate.reference
            ));
        }
    }
    packages(view, candidate, compiler, other_libc, &mut check)?;
    Some(check)
}

/// Whether a source loads shared libraries by name.
fn loads_libraries(text: &str) -> bool {
    ["CDLL(", "cdll.LoadLibrary(", "find_library(", "ffi.dlopen("]
        .iter()
        .any(|call| text.contains(call))
}

/// Whether the file itself installs every system package that a package's build is known to need. With a compiler come the headers of
/// the C library, unless recommended packages are left out.
fn brings_needs(view: &View<'_>, package: &str) -> bool {
    let Some(needs) = view.analysis.catalog().tools().source_build(package) else {
        return false;
    };
    let runs = view.runs();
    let installed = |wanted: &str| {
        runs.iter().any(|step| {
            let text = &step.instruction.text;
            let recommends = !text.contains("--no-install-recommends");
            let installs = step.facts().installs.iter();
            installs
                .filter(|install| install.tool == "apt-get")
                .flat_map(|install| &install.packages)
                .any(|(name, _)| {
                    name == wanted
                        || name == "build-essential" && matches!(wanted, "gcc" | "libc6-dev")
                        || name == "gcc" && wanted == "libc6-dev" && recommends
                })
        })
    };
    needs.build.iter().all(|wanted| installed(wanted))
}

/// Every package that pip installs needs a wheel that fits, or a source that builds without what the candidate lacks.
fn packages(
    view: &View<'_>,
    candidate: &ImageFacts,
    compiler: bool,
    other_libc: bool,
    check: &mut Check,
) -> Option<()> {
    let Some(python) = candidate.python_version() else {
        return Some(());
    };
    let platform = view.analysis.wheel_platform(candidate);
    for step in view.runs() {
        for install in step
            .facts()
            .installs
            .iter()
            .filter(|install| install.tool == "pip")
        {
            for (name, version) in &install.packages {
                // Managers run on every image of their language.
                if matches!(name.as_str(), "pip" | "uv" | "poetry" | "pdm" | "pipenv") {
                    continue;
                }
                let package = view.analysis.catalog().python_package(
                    name,
                    Some(version.as_str()).filter(|v| !v.is_empty()),
                    python,
                    platform,
                );
                let label = format!("{name} {version}");
                let libc = if candidate.libc == Libc::Musl {
                    "musl"
                } else {
                    "glibc"
                };
                match package.wheel {
                    WheelFit::Pure | WheelFit::Native => {}
                    WheelFit::FallbackPure => check.warnings.push(format!(
                        "`{label}` has no {libc} wheel: its slower pure Python wheel is installed"
                    )),
                    WheelFit::None => return None,
                    WheelFit::SdistOnly if package.native == Some(false) => {
                        check.warnings.push(format!("`{label}` has no {libc} wheel: it is built from source, which needs no compiler"));
                    }
                    WheelFit::SdistOnly
                        if !compiler
                            && view.analysis.catalog().tools().extension_is_optional(name) =>
                    {
                        check.warnings.push(format!("`{label}` has no {libc} wheel: without a compiler its slower Python parts alone are installed"));
                        check.applicability = check.applicability.max(Applicability::Unsafe);
                    }
                    // What it is compiled with is installed as on the image that it stands on now.
                    WheelFit::SdistOnly if compiler && !other_libc && brings_needs(view, name) => {}
                    WheelFit::SdistOnly if compiler => {
                        check
                            .warnings
                            .push(format!("`{label}` has no {libc} wheel: it is compiled"));
                        check.applicability = check.applicability.max(Applicability::Unsafe);
                    }
                    WheelFit::SdistOnly if package.native == Some(true) => return None,
                    WheelFit::SdistOnly => {
                        check.warnings.push(format!("`{label}` has no {libc} wheel: it is built from source, and whether that needs a compiler is not known"));
                        check.applicability = check.applicability.max(Applicability::Suggestion);
                    }
                    WheelFit::Unknown => {
                        check.warnings.push(format!("the catalogue does not know `{label}`: whether it has a {libc} wheel is not known"));
                        let least = if other_libc {
                            Applicability::Suggestion
                        } else {
                            Applicability::Unsafe
                        };
                        check.applicability = check.applicability.max(least);
                    }
                }
            }
        }
    }
    Some(())
}
