//! Images that hold one program and nothing else, for `COPY --from`.

use super::Catalog;
use super::image::Reference;
use super::wheel::WheelPlatform;
use crate::size::{Basis, Size};

/// The image of uv by the end of its name, in whatever registry: its documentation has `COPY --from=…/astral-sh/uv:0.9 /uv /uvx /bin/`.
const UV: &str = "astral-sh/uv";

/// Bytes of `uvx` beside those of `uv` (331,344 and 38,409,000 in the wheel of uv 0.13.9).
const UVX: f64 = 0.0086;

impl Catalog {
    /// The files of an image of one program: each with its path, its bytes and where these come from. The programs are those of the wheel of
    /// the same version, linked with another C library.
    pub(crate) fn program_image(
        &self,
        image: &str,
        platform: WheelPlatform,
    ) -> Option<[(&'static str, Size, Basis); 2]> {
        let reference = Reference::parse(image);
        let rest = reference.family.strip_suffix(UV)?;
        let version = reference
            .tag
            .filter(|tag| tag.starts_with(|c: char| c.is_ascii_digit()));
        let plain = version.is_none_or(|tag| !tag.contains('-'));
        if !(rest.is_empty() || rest.ends_with('/')) || !plain {
            return None;
        }
        // A tag of two numbers is the newest of its line.
        let exact = version.filter(|tag| tag.split('.').count() == 3);
        let facts = self.python_package("uv", exact, (3, 12), platform);
        let size = |share: f64| {
            let size = facts.installed.scale(share);
            if exact.is_some() {
                size
            } else {
                Size::range(size.low / 4 * 3, size.expected, size.high / 4 * 5)
            }
        };
        let basis = Basis::new(format!(
            "the wheel of the same version: {}",
            facts.basis.source
        ));
        Some([
            ("/uv", size(1.0 - UVX), basis.clone()),
            ("/uvx", size(UVX), basis),
        ])
    }
}
