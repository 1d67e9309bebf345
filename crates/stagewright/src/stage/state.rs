//! What holds before an instruction, and the image configuration it leads to.

use std::collections::BTreeMap;

use stagewright_syntax::expand;

/// Linux's default search path, which `BuildKit` sets where the base image has none.
///
/// Source: `util/system/path.go` (`DefaultPathEnvUnix`) at v0.32.2.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Environment variables in the order in which they were first set, which is the order `BuildKit` hands them to a RUN; a variable
/// that is set again moves to the end (`client/llb/meta.go`, `EnvList.AddOrReplace`, at v0.32.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvList(Vec<(String, String)>);

impl EnvList {
    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Sets a variable; it becomes the last one.
    pub fn set(&mut self, name: &str, value: &str) {
        self.0.retain(|(key, _)| key != name);
        self.0.push((name.to_owned(), value.to_owned()));
    }

    /// All variables, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl expand::Env for EnvList {
    fn get(&self, name: &str) -> Option<&str> {
        Self::get(self, name)
    }
}

/// The configuration of an image: what a container started from it gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImageConfig {
    /// Environment variables, in order.
    pub env: Vec<(String, String)>,
    /// The working directory; empty is `/`.
    pub workdir: String,
    /// The user, as written (`app`, `1000:1000`); empty is root.
    pub user: String,
    /// The shell of shell-form instructions; empty is `/bin/sh -c`.
    pub shell: Vec<String>,
    /// The entry point; `None` where there is none.
    pub entrypoint: Option<Vec<String>>,
    /// The command; `None` where there is none.
    pub cmd: Option<Vec<String>>,
    /// Ports, as `8000/tcp`, sorted.
    pub ports: Vec<String>,
    /// Volumes, sorted.
    pub volumes: Vec<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// The signal that stops it; empty is SIGTERM.
    pub stop_signal: String,
    /// The health check's test; `None` where there is none.
    pub healthcheck: Option<Vec<String>>,
    /// ONBUILD triggers, for images that build on this one.
    pub onbuild: Vec<String>,
}

impl ImageConfig {
    /// Sets an environment variable in place, as image configurations keep them (`convert.go`, `addEnv`, at v0.32.2).
    pub(crate) fn set_env(&mut self, name: &str, value: &str) {
        match self.env.iter_mut().find(|(key, _)| key == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.env.push((name.to_owned(), value.to_owned())),
        }
    }

    /// The shell that shell-form instructions run in.
    pub fn shell(&self) -> Vec<String> {
        if self.shell.is_empty() {
            vec!["/bin/sh".into(), "-c".into()]
        } else {
            self.shell.clone()
        }
    }
}

/// What holds before an instruction of a stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct State {
    /// What RUN sees: the ENV of the image and of the stage and every ARG in scope that has a value.
    pub env: EnvList,
    /// Names declared by ARG in this stage and the stages it builds on.
    pub args: Vec<String>,
    /// The configuration so far.
    pub config: ImageConfig,
}

impl State {
    /// The working directory as an absolute path.
    pub fn workdir(&self) -> &str {
        if self.config.workdir.is_empty() {
            "/"
        } else {
            &self.config.workdir
        }
    }

    /// The state at the start of a stage built on an image with this configuration.
    pub(crate) fn of_image(config: ImageConfig, os: &str) -> Self {
        let mut state = Self {
            config,
            ..Self::default()
        };
        if os != "windows" && !state.config.env.iter().any(|(key, _)| key == "PATH") {
            state.config.env.push(("PATH".into(), DEFAULT_PATH.into()));
        }
        for (key, value) in &state.config.env {
            state.env.set(key, value);
        }
        if !state.config.workdir.is_empty() && !state.config.workdir.starts_with('/') {
            state.config.workdir = join("/", &state.config.workdir);
        }
        state
    }

    /// The state at the start of a stage built on another one: its image without its triggers.
    pub(crate) fn of_stage(&self) -> Self {
        let mut state = self.clone();
        state.config.onbuild.clear();
        state
    }
}

/// Whether a user as written (`app`, `0:0`) is root; an empty one is.
pub(crate) fn is_root(user: &str) -> bool {
    matches!(user.split(':').next(), None | Some("" | "root" | "0"))
}

/// `path` seen from `base`, as an absolute path without `.`, `..` and double slashes (Go's `path.Join` and `path.Clean`).
pub fn join(base: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let from = if path.starts_with('/') { "" } else { base };
    for part in from.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned() {
        assert_eq!(join("/app", "src"), "/app/src");
        assert_eq!(join("/app", "../../x/./y//"), "/x/y");
        assert_eq!(join("/app", "/abs/../b"), "/b");
        assert_eq!(join("/", "."), "/");
    }

    #[test]
    fn a_variable_set_again_moves_to_the_end() {
        let mut env = EnvList::default();
        for (key, value) in [("A", "1"), ("B", "2"), ("A", "3")] {
            env.set(key, value);
        }
        assert_eq!(env.iter().collect::<Vec<_>>(), [("B", "2"), ("A", "3")]);
    }
}
