//! What lies inside the official images of Node on Debian (`catalog/node_image.toml`), and which image they are made of.

use std::sync::{Arc, OnceLock};

use serde::Deserialize;

use super::image::Reference;
use super::interpreter::ImageContent;
use super::memo::Memo;
use super::{DistroId, ImageFacts, ImageFit, Libc, distro};
use crate::ledger::Part;
use crate::size::{Basis, Kind, Size};

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NodeImages {
    image: Vec<Image>,
    managers: Managers,
    /// Bytes of the script that the images start everything with.
    entrypoint: u64,
    source: Source,
    #[serde(skip, default = "Memo::new")]
    contents: Memo<u32, Arc<[ImageContent]>>,
}

#[derive(Debug, Deserialize)]
struct Image {
    node: u32,
    version: String,
    program: Bytes,
    headers: u64,
    texts: u64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Managers {
    npm: Bytes,
    corepack: Bytes,
    yarn: Bytes,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Bytes {
    bytes: u64,
    low: u64,
    high: u64,
}

impl Bytes {
    fn size(self) -> Size {
        Size::range(self.low, self.bytes, self.high)
    }
}

#[derive(Debug, Deserialize)]
struct Source {
    text: String,
    date: Arc<str>,
}

impl NodeImages {
    /// Where the images have the interpreter itself.
    pub(crate) const PROGRAM: &str = "/usr/local/bin/node";

    /// The script that they start everything with: it puts `node` before words that are no program.
    pub(crate) const ENTRYPOINT: &str = "/usr/local/bin/docker-entrypoint.sh";

    pub(crate) fn embedded() -> &'static Self {
        static TABLE: OnceLock<NodeImages> = OnceLock::new();
        TABLE.get_or_init(|| {
            toml::from_str(include_str!("../../catalog/node_image.toml"))
                .expect("the table is part of the crate, and a test reads it")
        })
    }

    /// What is known of the inside of an official image of Node: nothing for those on Alpine, whose Node is built for musl, and for lines
    /// that the table does not have.
    pub(crate) fn contents(&self, facts: &ImageFacts) -> Arc<[ImageContent]> {
        let row = self.row(facts);
        row.map_or_else(Default::default, |row| {
            self.contents.get(row.node, |_| self.contents_of(row))
        })
    }

    /// The slim image of Debian that an official slim image of Node is made of. It has the libraries that Node is linked with: libc,
    /// libdl, libm, libpthread, and of apt's needs libgcc and libstdc++ (`ldd` of the versions in the table). It comes from the registry that
    /// the image was `written` with.
    pub(crate) fn plain(&self, written: &str, facts: &ImageFacts) -> Option<String> {
        let reference = Reference::parse(&facts.reference);
        let tag = reference.tag.unwrap_or_default();
        let mut words = tag.split('-');
        let slim = words.clone().any(|word| word == "slim");
        let named = words.find(|word| distro::is_release("debian", word));
        // Of another build of the line it is not known on which release it stands, of a digest not even which build it is.
        let of_row = facts.fit == ImageFit::Tag && facts.distro.id == DistroId::Debian;
        let suite = named.or(facts.distro.codename.as_deref().filter(|_| of_row))?;
        let known = facts.fit != ImageFit::Family
            && !facts.reference.contains('@')
            && self.row(facts).is_some();
        let place = &written[..written.rfind('/').map_or(0, |slash| slash + 1)];
        (slim && known).then(|| format!("{place}debian:{suite}-slim"))
    }

    fn row(&self, facts: &ImageFacts) -> Option<&Image> {
        let major = *super::tag::numbers(facts.node.as_deref()?).first()?;
        self.image
            .iter()
            .find(|row| row.node == major && facts.family == "node" && facts.libc == Libc::Glibc)
    }

    fn contents_of(&self, row: &Image) -> Arc<[ImageContent]> {
        let basis = Basis::dated(
            format!("{}: Node {}", self.source.text, row.version),
            Arc::clone(&self.source.date),
        );
        // What has a name is a folder, the others are files.
        let content = |path: &str, name: &str, kind, size| ImageContent {
            path: path.into(),
            label: name.into(),
            parts: [Part::main(kind, size)].into(),
            basis: basis.clone(),
        };
        let near = |bytes| Size::within(bytes, 0.08, 0.08);
        let Managers {
            npm,
            corepack,
            yarn,
        } = self.managers;
        [
            content(Self::PROGRAM, "", Kind::Binary, row.program.size()),
            content(
                Self::ENTRYPOINT,
                "",
                Kind::Text,
                Size::exact(self.entrypoint),
            ),
            content(
                "/usr/local/include/node",
                "headers of Node",
                Kind::Text,
                near(row.headers),
            ),
            content("/usr/local/CHANGELOG.md", "", Kind::Text, near(row.texts)),
            content(
                "/usr/local/lib/node_modules/npm",
                "npm",
                Kind::JavaScript,
                npm.size(),
            ),
            content(
                "/usr/local/lib/node_modules/corepack",
                "corepack",
                Kind::JavaScript,
                corepack.size(),
            ),
            content("/opt/yarn-v1.22.22", "yarn", Kind::JavaScript, yarn.size()),
        ]
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Catalog;

    #[test]
    fn the_parts_of_an_image_add_up_to_its_published_size() {
        let catalog = Catalog::builtin();
        for (image, plain) in [
            ("node:22-slim", "debian:bookworm-slim"),
            ("node:24-slim", "debian:bookworm-slim"),
        ] {
            let facts = catalog.image(image, None).expect("a known image");
            let table = NodeImages::embedded();
            assert_eq!(table.plain(image, &facts).as_deref(), Some(plain));
            let base = catalog.image(plain, None).expect("a known image");
            let contents = table.contents(&facts);
            let parts = contents.iter().flat_map(|content| content.parts.iter());
            let sum =
                parts.map(|part| part.size.expected).sum::<u64>() + base.uncompressed.expected;
            let published = facts.uncompressed.expected;
            let off = sum.abs_diff(published);
            assert!(off * 50 < published, "{image}: {sum} for {published}");
        }
    }

    #[test]
    fn only_slim_images_on_debian_have_a_plain_one_below_them() {
        let catalog = Catalog::builtin();
        for image in [
            "node:22",
            "node:22-alpine",
            "python:3.12-slim",
            "node:4-slim",
        ] {
            let facts = catalog.image(image, None).expect("a known image");
            assert_eq!(NodeImages::embedded().plain(image, &facts), None, "{image}");
        }
    }
}
