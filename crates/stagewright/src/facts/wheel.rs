//! Where a wheel has to fit, and how package names are compared.

use serde::Serialize;

use super::distro::Libc;

/// A processor architecture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Arch {
    /// amd64.
    #[default]
    X86_64,
    /// arm64.
    Aarch64,
}

/// Where a wheel has to fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct WheelPlatform {
    /// glibc takes manylinux wheels, musl takes musllinux wheels.
    pub libc: Libc,
    /// The processor.
    pub arch: Arch,
}

impl WheelPlatform {
    /// x86-64 with one of the C libraries.
    pub const fn x86_64(libc: Libc) -> Self {
        Self {
            libc,
            arch: Arch::X86_64,
        }
    }
}

/// Whether a package has a file that installs without compiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WheelFit {
    /// A wheel for any platform; there is no other.
    Pure,
    /// A wheel made for this platform.
    Native,
    /// None made for this platform, but one for any: it works, often slower.
    FallbackPure,
    /// Only the source: pip compiles, and needs a compiler where the package has native parts.
    SdistOnly,
    /// Nothing that pip could take: the installation fails.
    None,
    /// Not known.
    Unknown,
}

/// A package's name as package indexes compare it (PEP 503): lower case, runs of `-`, `_` and `.` are one `-`.
pub fn normalize_name(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for c in name.chars() {
        if !matches!(c, '-' | '_' | '.') {
            normal.extend(c.to_lowercase());
        } else if !normal.ends_with('-') {
            normal.push('-');
        }
    }
    normal
}
