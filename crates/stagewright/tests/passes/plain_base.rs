//! On which image the last stage of a Node application comes to stand.

use stagewright::Applicability;

use super::{LOCK, PACKAGE, plan};

/// The image that the last stage of a plan at `safe` stands on, where the last stage of the file is what is given.
fn last_base(last: &str, source: &str) -> String {
    let text = format!(
        "FROM node:22-slim AS base\nRUN npm install -g pnpm@9\nWORKDIR /app\n\nFROM base AS dependencies\nCOPY package.json ./\nRUN pnpm install\n\n{last}"
    );
    let files = [("index.js", source), ("package.json", PACKAGE)];
    let plan = plan(&text, &files, Applicability::Safe);
    let from = plan
        .dockerfile
        .lines()
        .rfind(|line| line.starts_with("FROM"));
    from.unwrap_or_default()
        .trim_start_matches("FROM ")
        .to_owned()
}

#[test]
fn node_alone_is_enough_only_where_nothing_calls_its_package_managers() {
    let copied = "COPY --from=dependencies /app ./\nCOPY . .\n";
    let started = "CMD [\"node\", \"index.js\"]\n";
    let stage = |from: &str, more: &str| format!("FROM {from}\n{copied}{more}");
    for (last, source, base) in [
        (stage("base", started), "", "debian:bookworm-slim"),
        (stage("node:22-slim", started), "", "debian:bookworm-slim"),
        (
            stage("node:22-trixie-slim", started),
            "",
            "debian:trixie-slim",
        ),
        (
            stage(
                "base",
                "RUN apt-get update && apt-get install -y curl\nCMD [\"node\", \"index.js\"]\n",
            ),
            "",
            "debian:bookworm-slim",
        ),
        (
            stage(
                "base",
                "RUN apt-get update && apt-get install -y tini\nENTRYPOINT [\"/usr/bin/tini\", \"--\"]\nCMD [\"node\", \"index.js\"]\n",
            ),
            "",
            "debian:bookworm-slim",
        ),
        // What is started, what a RUN calls, what a health check and a source call.
        (
            stage("node:22-slim", "CMD [\"npm\", \"test\"]\n"),
            "",
            "node:22-slim",
        ),
        (
            stage(
                "node:22-slim",
                "RUN npm rebuild\nCMD [\"node\", \"index.js\"]\n",
            ),
            "",
            "node:22-slim",
        ),
        (
            stage(
                "node:22-slim",
                "HEALTHCHECK CMD npx is-up\nCMD [\"node\", \"index.js\"]\n",
            ),
            "",
            "node:22-slim",
        ),
        (
            stage("node:22-slim", started),
            "require('child_process').exec('npm ls')",
            "node:22-slim",
        ),
        (
            stage("--platform=linux/arm64 node:22-slim", started),
            "",
            "--platform=linux/arm64 node:22-slim",
        ),
        (
            stage(
                "node:22-slim",
                "HEALTHCHECK CMD [\"sh\", \"-c\", \"npx is-up\"]\nCMD [\"node\", \"index.js\"]\n",
            ),
            "",
            "node:22-slim",
        ),
        (
            stage(
                "node:22-slim",
                "RUN node /usr/local/lib/node_modules/npm/bin/npm-cli.js prune\nCMD [\"node\", \"index.js\"]\n",
            ),
            "",
            "node:22-slim",
        ),
        (
            stage(
                "node:22-slim",
                "LABEL node=$NODE_VERSION\nCMD [\"node\", \"index.js\"]\n",
            ),
            "",
            "node:22-slim",
        ),
        (
            stage(
                "node:22-slim",
                "ONBUILD RUN npm ci\nCMD [\"node\", \"index.js\"]\n",
            ),
            "",
            "node:22-slim",
        ),
        (
            stage("public.ecr.aws/docker/library/node:22-slim", started),
            "",
            "public.ecr.aws/docker/library/debian:bookworm-slim",
        ),
        // On which release another build of a line stands is not known, and nothing of what stands below a line that the catalogue does not
        // have.
        (stage("node:22.1-slim", started), "", "node:22.1-slim"),
        (stage("node:12-slim", started), "", "node:12-slim"),
    ] {
        assert_eq!(last_base(&last, source), base, "{last}{source}");
    }
}

#[test]
fn a_package_manager_that_the_shared_stage_brought_is_missed_as_well() {
    let last = "FROM base\nCOPY --from=dependencies /app ./\nRUN pnpm rebuild\nCMD [\"node\", \"index.js\"]\n";
    assert_eq!(last_base(last, ""), "base");
}

#[test]
fn the_last_stage_says_again_what_it_shared_but_the_package_managers() {
    let text = "FROM node:22-slim AS base\nRUN npm install -g pnpm@9\nWORKDIR /app\n\nFROM base AS dependencies\nCOPY package.json ./\nRUN pnpm install --prod\n\nFROM base\nCOPY --from=dependencies /app ./\nCMD [\"node\", \"index.js\"]\n";
    let files = [("package.json", PACKAGE)];
    let plan = plan(text, &files, Applicability::Safe);
    let last = "FROM debian:bookworm-slim\n\nRUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node\nCOPY --from=base /usr/local/bin/node /usr/local/bin/docker-entrypoint.sh /usr/local/bin/\nENTRYPOINT [\"docker-entrypoint.sh\"]\nWORKDIR /app\nCOPY --from=dependencies /app ./\n";
    assert!(plan.dockerfile.contains(last), "{}", plan.dockerfile);
}

/// The plan at `safe` for a file of one stage that starts Node.
fn one_stage(steps: &str, more: &[(&str, &str)]) -> String {
    let text = format!("FROM node:22-slim\nWORKDIR /app\n{steps}CMD [\"node\", \"index.js\"]\n");
    let mut files = vec![
        ("index.js", "require('express')\n"),
        ("package-lock.json", LOCK),
        ("package.json", PACKAGE),
    ];
    files.extend_from_slice(more);
    files.sort_unstable();
    plan(&text, &files, Applicability::Safe).dockerfile
}

#[test]
fn an_install_in_the_last_stage_gets_one_of_its_own_where_node_is_left_alone_then() {
    let npm = one_stage("COPY . .\nRUN npm ci\n", &[]);
    let packages = "FROM base AS builder\n\nRUN --mount=type=cache,target=/root/.npm \\\n    --mount=type=bind,source=package.json,target=package.json \\\n    --mount=type=bind,source=package-lock.json,target=package-lock.json \\\n    npm ci\n";
    let last = "ENTRYPOINT [\"docker-entrypoint.sh\"]\nWORKDIR /app\nCOPY --from=builder /app/node_modules /app/node_modules\nCOPY . .\n";
    assert!(npm.contains(packages) && npm.contains(last), "{npm}");

    // Yarn 1 leaves its compiled code behind, and corepack the manager.
    let berry = [
        (".yarnrc.yml", "nodeLinker: node-modules\n"),
        (
            "yarn.lock",
            "__metadata:\n  version: 8\n\n\"express@npm:^5.1.0\":\n  version: 5.1.0\n  resolution: \"express@npm:5.1.0\"\n  languageName: node\n  linkType: hard\n",
        ),
    ];
    for (steps, more) in [
        ("COPY . .\nRUN yarn install\n", &berry[..0]),
        (
            "COPY . .\nRUN corepack enable && yarn install --immutable\n",
            &berry,
        ),
    ] {
        let plan = one_stage(steps, more);
        assert!(plan.contains("FROM debian:bookworm-slim\n"), "{plan}");
        assert!(
            plan.contains("COPY --from=builder /app/node_modules /app/node_modules\n"),
            "{plan}"
        );
    }
}

#[test]
fn an_install_stays_where_something_else_calls_npm_or_reads_what_it_wrote() {
    for (steps, more) in [
        ("COPY . .\nRUN npm ci\nRUN npm run build\n", &[][..]),
        ("COPY . .\nRUN npm ci\nHEALTHCHECK CMD npx is-up\n", &[]),
        (
            "COPY . .\nRUN npm ci && node prepare.js\n",
            &[("prepare.js", "")],
        ),
        // Plug'n'Play keeps packages where Node does not look without it.
        (
            "COPY . .\nRUN corepack enable && yarn install\n",
            &[("yarn.lock", "__metadata:\n  version: 8\n")],
        ),
    ] {
        let plan = one_stage(steps, more);
        assert!(!plan.contains("FROM debian"), "{plan}");
    }
}
