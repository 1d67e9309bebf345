//! The names that BuildKit gives to steps.

use crate::build::{Build, ComponentKind, LINK, Step, StepKind};

/// The name of a step as BuildKit writes it (`dockerfile2llb/convert.go`, `prefixCommand`): `[PLATFORM STAGE N/M] INSTRUCTION`, where
/// platform and stage may be left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StepName<'n> {
    platform: Option<&'n str>,
    stage: Option<&'n str>,
    ordinal: u32,
    link: bool,
    instruction: &'n str,
}

pub(super) enum Found<'b> {
    Step(&'b Step),
    /// The same build for another platform.
    OtherPlatform,
    Nothing,
}

impl<'n> StepName<'n> {
    pub(super) fn parse(name: &'n str) -> Option<Self> {
        let (head, rest) = name.strip_prefix('[')?.split_once("] ")?;
        let mut words: Vec<&str> = head.split(' ').filter(|word| !word.is_empty()).collect();
        let (ordinal, total) = words.pop()?.split_once('/')?;
        total.parse::<u32>().ok()?;
        let rest = rest.strip_prefix("ONBUILD ").unwrap_or(rest);
        let link = rest.strip_prefix(LINK);
        // No name of a stage has a slash.
        let platform = words.first().copied().filter(|word| word.contains('/'));
        Some(Self {
            platform,
            stage: words.get(usize::from(platform.is_some())).copied(),
            ordinal: ordinal.parse().ok()?,
            link: link.is_some(),
            instruction: link.unwrap_or(rest),
        })
    }

    pub(super) fn find<'b>(&self, build: &'b Build) -> Found<'b> {
        let found = build.steps.iter().find(|step| {
            step.ordinal == self.ordinal
                && (step.kind == StepKind::Link) == self.link
                && self
                    .stage
                    .is_none_or(|stage| step.stage_name.eq_ignore_ascii_case(stage))
        });
        let Some(step) = found.filter(|step| self.reads_as(step)) else {
            return Found::Nothing;
        };
        match self.platform.zip(build.platform_of(step)) {
            Some((found, (own, target))) if !same_platform(found, own, target) => {
                Found::OtherPlatform
            }
            _ => Found::Step(step),
        }
    }

    /// Whether it may be the step's instruction. BuildKit expands variables in it, takes quotes away, and sums scripts up.
    fn reads_as(&self, step: &Step) -> bool {
        let text = step.text.strip_prefix(LINK).unwrap_or(&step.text);
        let text = match text.split_once(char::is_whitespace) {
            Some((keyword, rest)) => format!("{} {rest}", keyword.to_ascii_uppercase()),
            None => text.to_ascii_uppercase(),
        };
        let keyword = |text: &str| {
            let word = text.split(char::is_whitespace).next();
            word.unwrap_or_default().to_ascii_uppercase()
        };
        if step.kind == StepKind::Base
            || text.contains(['$', '"', '\'', '\\', '`'])
            || text.contains("<<")
        {
            return keyword(&text) == keyword(self.instruction);
        }
        let words = |text: &str| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        words(&text) == words(self.instruction)
    }
}

/// `linux/amd64`, or `linux/amd64->arm64` where a stage is built on one platform for another.
fn same_platform(found: &str, own: &str, target: &str) -> bool {
    let (base, aim) = match found.split_once("->") {
        Some((base, aim)) => (base, Some(aim)),
        None => (found, None),
    };
    base == own
        && aim.is_none_or(|aim| {
            target == aim || target.split_once('/').is_some_and(|(_, arch)| arch == aim)
        })
}

impl Build {
    /// The platform of a step, and that of the image that is built.
    fn platform_of<'b>(&'b self, step: &'b Step) -> Option<(&'b str, &'b str)> {
        let of = |step: &'b Step| {
            let component = step
                .components
                .iter()
                .find(|component| component.kind == ComponentKind::Platform)?;
            Some(component.value.as_str())
        };
        // A COPY is keyed by no platform; it has that of its stage.
        let mut of_stage = self
            .steps
            .iter()
            .filter(|other| other.stage == step.stage)
            .filter_map(of);
        let own = of(step).or_else(|| of_stage.next())?;
        let mut of_target = self
            .steps
            .iter()
            .filter(|other| other.stage == self.target)
            .filter_map(of);
        Some((own, of_target.next().unwrap_or(own)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_steps() {
        let name =
            |text| StepName::parse(text).map(|name| (name.platform, name.stage, name.ordinal));
        assert_eq!(name("[2/5] RUN make"), Some((None, None, 2)));
        assert_eq!(name("[ 2/15] RUN make"), Some((None, None, 2)));
        assert_eq!(
            name("[stage-1 2/5] RUN make"),
            Some((None, Some("stage-1"), 2))
        );
        let platform = "[linux/amd64->arm64 build 1/3] FROM golang";
        assert_eq!(
            name(platform),
            Some((Some("linux/amd64->arm64"), Some("build"), 1))
        );
        assert_eq!(
            name("[linux/arm/v7 1/3] FROM golang"),
            Some((Some("linux/arm/v7"), None, 1))
        );
        for text in [
            "[internal] load .dockerignore",
            "[context a] x",
            "exporting to image",
            "[a b] c",
        ] {
            assert_eq!(name(text), None, "{text}");
        }
        let link = StepName::parse("[2/3] LINK COPY --link a /").unwrap();
        assert_eq!((link.link, link.instruction), (true, "COPY --link a /"));
        let trigger = StepName::parse("[2/3] ONBUILD RUN make").unwrap();
        assert_eq!(trigger.instruction, "RUN make");
    }

    #[test]
    fn platforms() {
        for (found, own, target, same) in [
            ("linux/amd64", "linux/amd64", "linux/amd64", true),
            ("linux/arm64", "linux/amd64", "linux/amd64", false),
            ("linux/amd64->arm64", "linux/amd64", "linux/arm64", true),
            ("linux/amd64->arm/v7", "linux/amd64", "linux/arm64", false),
            ("linux/amd64->arm/v7", "linux/amd64", "linux/arm/v7", true),
            (
                "linux/amd64->windows/amd64",
                "linux/amd64",
                "windows/amd64",
                true,
            ),
        ] {
            assert_eq!(
                same_platform(found, own, target),
                same,
                "{found} {own} {target}"
            );
        }
    }
}
