//! Writes what was measured of an image into the text of a `stagewright.toml`.

use toml_edit::{Array, DocumentMut, Item, Table, value};

use crate::config::{Config, ConfigError};
use crate::facts::{Catalog, Codec, MeasuredImage};
use crate::measure::Image;
use crate::size::Size;

impl MeasuredImage {
    /// What a measured image is as the base of others. `date` is the day to write down (`YYYY-MM-DD`); that on which the image says it
    /// was made if absent. Where a layer is not compressed, its compressed bytes are estimated by what its files are made of.
    pub fn of(image: &Image, date: Option<&str>) -> Self {
        let variable = |name: &str| {
            let value = image
                .settings
                .env
                .iter()
                .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            value.map(str::to_owned)
        };
        let layer_bytes: Vec<u64> = image
            .layers
            .iter()
            .map(|layer| layer.compressed.unwrap_or_else(|| estimated(layer)))
            .collect();
        let digests: Vec<String> = image
            .layers
            .iter()
            .map(|layer| layer.digest.clone())
            .collect();
        // The digest of an uncompressed layer is no digest that a registry knows.
        let shared = image
            .layers
            .iter()
            .all(|layer| layer.compressed.is_some() && layer.verified);
        let created = image
            .created
            .as_deref()
            .and_then(|created| created.get(..10));
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Self {
            uncompressed: image.bytes,
            compressed: layer_bytes.iter().sum(),
            date: date.or(created).map(str::to_owned),
            layers: if shared { digests } else { Vec::new() },
            layer_bytes: if shared { layer_bytes } else { Vec::new() },
            distro: image.distro.clone(),
            libc: image.libc.map(str::to_owned),
            python: variable("PYTHON_VERSION"),
            node: variable("NODE_VERSION"),
            env: image.settings.env.clone(),
            workdir: text(&image.settings.workdir),
            user: text(&image.settings.user),
            cmd: image.settings.cmd.clone(),
            entrypoint: image.settings.entrypoint.clone(),
            ..Self::default()
        }
    }
}

/// Compressed bytes of a layer, by kind (`catalog/compression.toml`).
fn estimated(layer: &crate::measure::Layer) -> u64 {
    let catalog = Catalog::builtin();
    let kinds = layer.kinds.iter();
    kinds
        .map(|kind| {
            catalog
                .compression(kind.kind, Codec::Gzip)
                .compressed(Size::exact(kind.bytes))
                .expected
        })
        .sum()
}

impl Image {
    /// The text of a `stagewright.toml` with this image in it as a measured base. `name` is the reference that Dockerfiles write, the
    /// archive's own name for it if absent; `date` the day to write down, that of the image if absent.
    ///
    /// ```no_run
    /// # let before = String::new();
    /// let after = stagewright::Image::open("base.tar")?.learn(&before, Some("team/base:3"), None)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn learn(
        &self,
        config: &str,
        name: Option<&str>,
        date: Option<&str>,
    ) -> Result<String, ConfigError> {
        let own = self.names.first().map(|name| {
            let short = name.strip_prefix("docker.io/").unwrap_or(name);
            short.strip_prefix("library/").unwrap_or(short)
        });
        let name = name.or(own).ok_or(ConfigError::NoName)?;
        let learned = Config::learned(config, name, &MeasuredImage::of(self, date))?;
        // A day that is none is found here.
        Config::parse(&learned)?;
        Ok(learned)
    }
}

impl Config {
    /// The text of a `stagewright.toml` with a measured base in it; everything else stays as it is, to the byte. A base of the same name
    /// is replaced.
    pub fn learned(text: &str, name: &str, image: &MeasuredImage) -> Result<String, ConfigError> {
        // What cannot be read is not written to either, and the error says where.
        Self::parse(text)?;
        let mut document: DocumentMut =
            text.parse()
                .map_err(|error: toml_edit::TomlError| ConfigError::Syntax {
                    line: 1,
                    column: 1,
                    message: error.message().to_owned(),
                })?;
        let mut table = Table::new();
        let number = |bytes: u64| value(i64::try_from(bytes).unwrap_or(i64::MAX));
        let mut put = |key: &str, item: Option<Item>| {
            if let Some(item) = item {
                table.insert(key, item);
            }
        };
        let texts = |items: &[String]| value(items.iter().collect::<Array>());
        let some = |items: &[String]| (!items.is_empty()).then(|| texts(items));
        put("uncompressed", Some(number(image.uncompressed)));
        put("compressed", Some(number(image.compressed)));
        put("date", image.date.as_ref().map(value));
        put("layers", some(&image.layers));
        let layer_bytes = image
            .layer_bytes
            .iter()
            .map(|bytes| i64::try_from(*bytes).unwrap_or(i64::MAX));
        put(
            "layer_bytes",
            (!image.layer_bytes.is_empty()).then(|| value(layer_bytes.collect::<Array>())),
        );
        put("distro", image.distro.as_ref().map(value));
        put("libc", image.libc.as_ref().map(value));
        put("python", image.python.as_ref().map(value));
        put("node", image.node.as_ref().map(value));
        put("env", some(&image.env));
        put("workdir", image.workdir.as_ref().map(value));
        put("user", image.user.as_ref().map(value));
        put("cmd", image.cmd.as_deref().map(texts));
        put("entrypoint", image.entrypoint.as_deref().map(texts));
        put("packages", some(&image.packages));
        let earlier = document.get("base").and_then(|bases| bases.get(name));
        if let Some(earlier) = earlier.and_then(Item::as_table) {
            // Comments above it, and the line between.
            *table.decor_mut() = earlier.decor().clone();
        } else if let Some(trailing) = document.trailing().as_str().map(str::to_owned)
            && !trailing.is_empty()
        {
            // A comment at the end of the file stays above what is added below it.
            table.decor_mut().set_prefix(format!("{trailing}\n"));
            document.set_trailing("");
        }
        let bases = document.entry("base").or_insert_with(|| {
            let mut bases = Table::new();
            bases.set_implicit(true);
            Item::Table(bases)
        });
        match bases {
            Item::Table(bases) => {
                bases.insert(name, Item::Table(table));
            }
            // `base = { … }` in one line.
            other => other[name] = value(table.into_inline_table()),
        }
        Ok(document.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_the_file_stays() {
        let image = MeasuredImage {
            uncompressed: 100,
            compressed: 40,
            date: Some("2026-11-23".into()),
            env: vec!["A=\"b\"".into()],
            cmd: Some(vec!["sh".into()]),
            ..MeasuredImage::default()
        };
        let before = "# ours\n[budget]   # small\nimage = \"1 MB\"\n";
        let after = Config::learned(before, "team/base:1", &image).unwrap();
        assert_eq!(
            after,
            format!(
                "{before}\n[base.\"team/base:1\"]\nuncompressed = 100\ncompressed = 40\ndate = \"2026-11-23\"\nenv = ['A=\"b\"']\ncmd = [\"sh\"]\n"
            )
        );
        let again = MeasuredImage {
            compressed: 41,
            ..image.clone()
        };
        let replaced = Config::learned(&after, "team/base:1", &again).unwrap();
        assert_eq!(replaced, after.replace("= 40", "= 41"));
        let read = &Config::parse(&replaced).unwrap().images["team/base:1"];
        assert_eq!(
            (read.compressed, &read.env, &read.cmd),
            (41, &again.env, &again.cmd)
        );
        assert!(Config::learned("[budgets]\n", "a", &image).is_err());
        // Comments stay where they are, also those at the end.
        let commented = after.replace("[base", "# theirs\n[base") + "# last\n";
        let replaced = Config::learned(&commented, "team/base:1", &again).unwrap();
        assert_eq!(replaced, commented.replace("= 40", "= 41"));
        let added = Config::learned("# ours\n", "a:1", &image).unwrap();
        assert!(added.starts_with("# ours\n\n[base.\"a:1\"]\n"), "{added}");
    }
}
