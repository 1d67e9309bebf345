//! Facts about the world, each with a source and a date: base images, distribution packages, wheels, npm packages.
//!
//! Everything stands in the tables of `catalog/`, which are part of the library; nothing is read from outside. A table is unpacked
//! when it is first asked for.

mod alpine;
mod base;
#[cfg(feature = "online")]
mod blob;
mod bun_lock;
mod compression;
mod debian;
mod distro;
mod image;
mod image_table;
pub(crate) mod interpreter;
mod lock;
mod lock_lines;
mod marker;
mod measured;
mod memo;
pub(crate) mod node_image;
mod npm;
mod package_lock;
mod packages;
mod pnpm_lock;
mod program_image;
mod python;
mod python_closure;
mod python_lock;
mod python_table;
mod requirement;
mod requirements;
pub(crate) mod seconds;
pub(crate) mod symbols;
mod table;
mod tag;
pub(crate) mod tools;
mod wheel;
mod yarn_lock;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

pub(crate) use base::Names;
pub use base::{Offers, PackageManager};
#[cfg(feature = "online")]
pub(crate) use blob::{files_of_tar, tar_of_blob};
pub use compression::{Codec, Compression};
pub use debian::{SystemClosure, SystemPackage};
pub use distro::{Distro, DistroId, Libc};
pub use image::{ImageFacts, ImageFit, LayerDigest};
pub use lock::LockError;
pub use measured::MeasuredImage;
pub use npm::NpmFacts;
pub use package_lock::{LockedPackage, PackageLock};
pub use packages::{
    MeasuredNpm, MeasuredPython, Needs, NpmNeed, Packages, PythonNeed, Unanswered, WheelContents,
};
#[cfg(feature = "online")]
pub(crate) use python_lock::rank as file_rank;
pub use python_lock::{FileKind, LockedFile, LockedPython, PythonLock, Wanted};

pub use python::{KindShare, PackageFacts};
pub use python_closure::{InstalledPackage, PythonClosure};
pub use requirement::Requirement;
pub use requirements::{RequirementProblem, RequirementProblemCode, Requirements};
pub use wheel::{Arch, WheelFit, WheelPlatform, normalize_name};

use debian::DebianTable;
use image_table::ImageTable;
use npm::NpmTable;
use python_table::PythonTable;

use crate::size::{Basis, Kind, Size};

/// The facts that come with the library, and before them what was measured for one build.
pub struct Catalog {
    tables: &'static Tables,
    packages: Arc<Packages>,
    /// What was asked for and not measured, while somebody wants to know.
    asked: Option<Mutex<Needs>>,
}

#[derive(Default)]
struct Tables {
    images: OnceLock<ImageTable>,
    python: OnceLock<PythonTable>,
    debian: OnceLock<DebianTable>,
    npm: OnceLock<NpmTable>,
}

impl Catalog {
    /// The built-in catalogue.
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<Catalog> = OnceLock::new();
        BUILTIN.get_or_init(|| Self::with_packages(Arc::default()))
    }

    /// The built-in catalogue, with packages that were measured.
    pub fn with_packages(packages: Arc<Packages>) -> Self {
        static TABLES: OnceLock<Tables> = OnceLock::new();
        Self {
            tables: TABLES.get_or_init(Tables::default),
            packages,
            asked: None,
        }
    }

    /// The same facts, and notes which packages are asked for that were not measured.
    pub(crate) fn listening(&self) -> Self {
        Self {
            tables: self.tables,
            packages: Arc::clone(&self.packages),
            asked: Some(Mutex::default()),
        }
    }

    /// The packages that were asked for and not measured.
    pub(crate) fn into_needs(self) -> Needs {
        let needs = self.asked.unwrap_or_default();
        needs.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, note: impl FnOnce(&mut Needs)) {
        if let Some(asked) = &self.asked {
            note(&mut asked.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// What was measured of a Python package; what was not is noted.
    fn measured_python(&self, need: PythonNeed) -> Option<(&MeasuredPython, Arc<PackageFacts>)> {
        if let Some(measured) = self.packages.python.get(&need) {
            return Some((measured, measured.facts(self.python(), &need)));
        }
        self.ask(|needs| _ = needs.python.insert(need));
        None
    }

    /// What tools leave behind besides packages.
    #[expect(
        clippy::unused_self,
        reason = "a table of this catalogue, like the others"
    )]
    pub(crate) fn tools(&self) -> &'static tools::Tools {
        tools::Tools::embedded()
    }

    /// How long a step takes, where nobody knows of this very step.
    #[expect(
        clippy::unused_self,
        reason = "a table of this catalogue, like the others"
    )]
    pub(crate) fn seconds(&self, step: &crate::build::Step) -> seconds::Row {
        seconds::Table::embedded().row(step.kind, &step.text)
    }

    /// What lies inside official Python images.
    #[expect(
        clippy::unused_self,
        reason = "a table of this catalogue, like the others"
    )]
    pub(crate) fn interpreters(&self) -> &'static interpreter::Interpreters {
        interpreter::Interpreters::embedded()
    }

    /// What lies inside official images of Node.
    #[expect(
        clippy::unused_self,
        reason = "a table of this catalogue, like the others"
    )]
    pub(crate) fn node_images(&self) -> &'static node_image::NodeImages {
        node_image::NodeImages::embedded()
    }

    /// What is known of a base image: `python:3.7-alpine`, `docker.io/library/python:3.7`, `node@sha256:…`.
    ///
    /// Of several builds the newest is taken, or the newest that is not after `as_of` (`YYYY-MM-DD`). A tag that no row has is
    /// answered by the nearest row of the same family, variant and libc, with a wide range and [`ImageFacts::stale`] saying so.
    /// `None` for an image of which nothing is known.
    pub fn image(&self, reference: &str, as_of: Option<&str>) -> Option<ImageFacts> {
        self.shared_image(reference, as_of).as_deref().cloned()
    }

    pub(crate) fn shared_image(
        &self,
        reference: &str,
        as_of: Option<&str>,
    ) -> Option<Arc<ImageFacts>> {
        image::find(self.images(), reference, as_of)
    }

    /// The images of one family with the same language version, smallest first: for `python` and `3.7` the full, slim and Alpine
    /// ones. Empty where the catalogue has none.
    pub fn variants(&self, family: &str, version: &str, as_of: Option<&str>) -> Vec<ImageFacts> {
        image::variants(self.images(), family, version, as_of)
    }

    /// The version of Python that a base image runs: its own, else the one that its distribution packages.
    pub(crate) fn python_of(&self, base: &ImageFacts) -> Option<(u32, u32)> {
        base.python_version()
            .or_else(|| self.python().ratios.of_distribution(&base.distro))
    }

    /// What comes along with Python packages whose needs nobody knows, and what the numbers are based on.
    pub(crate) fn unknown_needs(&self, packages: usize) -> (Size, Basis) {
        let ratios = &self.python().ratios;
        let needs = &ratios.unknown_needs;
        let one = Size::range(needs.low, needs.expected, needs.high);
        let basis = Basis::dated(
            "what most packages need: theirs is in no table",
            ratios.date.clone(),
        );
        (Size::sum(std::iter::repeat_n(one, packages)), basis)
    }

    /// Whether a Python package is one program, which lies beside the interpreter's.
    pub(crate) fn is_program(&self, package: &str) -> bool {
        let programs = &self.python().ratios.programs.names;
        programs.iter().any(|name| name == package)
    }

    /// What is known of a Python package, in one version (the newest known one by default) and for one interpreter and platform.
    ///
    /// In this order: a package measured after installation; the size of its file and the ratio that its other versions have; the
    /// size of its file and the ratio of its kind; a range that fits most packages, with [`PackageFacts::version`] `None`.
    pub fn python_package(
        &self,
        name: &str,
        version: Option<&str>,
        python: (u32, u32),
        platform: WheelPlatform,
    ) -> Arc<PackageFacts> {
        self.measured_version(name, version, python, platform)
            .unwrap_or_else(|| python::find(self.python(), name, version, python, platform))
    }

    fn measured_version(
        &self,
        name: &str,
        version: Option<&str>,
        python: (u32, u32),
        platform: WheelPlatform,
    ) -> Option<Arc<PackageFacts>> {
        if self.is_plain() {
            return None;
        }
        let versions = version.map(|version| format!("=={version}"));
        let versions = versions.iter().map(String::as_str).collect();
        let need = PythonNeed::new(&normalize_name(name), &versions, python, platform);
        Some(self.measured_python(need)?.1)
    }

    /// Whether there is nothing but the tables.
    fn is_plain(&self) -> bool {
        self.asked.is_none() && self.packages.python.is_empty() && self.packages.npm.is_empty()
    }

    /// What is known of a package that a lock file lists: as [`Self::python_package`], with the size that the lock file gives for the
    /// file that fits, where it gives one.
    pub fn locked_python_package(
        &self,
        package: &LockedPython,
        python: (u32, u32),
        platform: WheelPlatform,
    ) -> Arc<PackageFacts> {
        let version = Some(&*package.version);
        if let Some(facts) = self.measured_version(&package.name, version, python, platform) {
            return facts;
        }
        match package.download(python, platform) {
            Some(file) => python::find_locked(
                self.python(),
                &package.name,
                &package.version,
                python,
                platform,
                file,
            ),
            None => python::find(self.python(), &package.name, version, python, platform),
        }
    }

    /// What pip installs for a requirement file: the packages listed, and those they need as far as the tables know it.
    ///
    /// A file that lists everything gains nothing. A version that is not pinned is the newest in the tables that is allowed.
    /// Needs are those of the listed version or of the nearest that a table has. A pinned file that lists what its packages need, as
    /// `pip freeze` writes it, gains nothing from another version's. Extras bring along what `catalog/python.toml` lists.
    pub fn python_closure(
        &self,
        requirements: &Requirements,
        python: (u32, u32),
        platform: WheelPlatform,
    ) -> PythonClosure {
        python_closure::close(self, requirements, python, platform)
    }

    /// What `apt-get install` of these names adds to an image, with or without recommended packages.
    ///
    /// Sizes are those of the base's release where that is bookworm or trixie; else those of the nearer one, with a wider range. Versions and architectures behind a name
    /// (`curl=7.88`, `gcc:amd64`) are cut off.
    pub fn debian_packages(
        &self,
        names: &[&str],
        recommends: bool,
        base: &ImageFacts,
    ) -> Arc<SystemClosure> {
        self.debian().install(names, recommends, base)
    }

    /// Bytes of dpkg's database and logs, which every install writes anew, also where so many of its packages are removed again.
    pub(crate) fn debian_database(&self, base: &ImageFacts, removed: usize) -> Size {
        self.debian().database(base, removed)
    }

    /// Bytes of the package lists that `apt-get update` leaves, with their basis.
    pub fn debian_lists(&self) -> (Size, Basis) {
        self.debian().lists()
    }

    /// What `apk add` of these names adds to an image. Little is known of Alpine's packages: the ranges are wide.
    pub fn alpine_packages(&self, names: &[&str], base: &ImageFacts) -> SystemClosure {
        alpine::install(names, base)
    }

    /// Bytes of the package lists that `apk add` without `--no-cache` leaves, with their basis.
    pub fn alpine_lists(&self) -> (Size, Basis) {
        alpine::lists()
    }

    /// What is known of an npm package: the version asked for, else the nearest one with a wider range, else a range that fits most
    /// packages, with [`NpmFacts::version`] `None`.
    pub fn npm_package(&self, name: &str, version: Option<&str>) -> Arc<NpmFacts> {
        let table = self.npm().find(name, version);
        if self.is_plain() {
            return table;
        }
        let need = NpmNeed {
            name: name.to_owned(),
            version: version.unwrap_or_default().to_owned(),
        };
        if let Some(measured) = self.packages.npm.get(&need) {
            return Arc::new(measured.facts(&table));
        }
        self.ask(|needs| _ = needs.npm.insert(need));
        table
    }

    /// What is known of packages that are installed together, as [`Self::npm_package`] does one by one: of the sum of many unknown ones
    /// more can be said than of each.
    pub fn npm_packages<'n>(
        &self,
        packages: impl IntoIterator<Item = (&'n str, Option<&'n str>)>,
    ) -> Vec<Arc<NpmFacts>> {
        let packages = packages.into_iter();
        let found = packages.map(|(name, version)| self.npm_package(name, version));
        self.npm().together(found.collect())
    }

    /// What comes along with npm packages whose needs nobody knows, and what the numbers are based on.
    pub(crate) fn unknown_npm_needs(&self, packages: usize) -> (Size, Basis) {
        self.npm().unknown_needs(packages)
    }

    /// The lock file that npm writes for so many packages, and what its size is based on.
    pub(crate) fn npm_lock(&self, packages: usize) -> (Size, Basis) {
        self.npm().lock(packages)
    }

    /// Source and date of the rules for npm packages.
    pub fn npm_basis(&self) -> Basis {
        self.npm().basis()
    }

    fn npm(&self) -> &NpmTable {
        self.tables.npm.get_or_init(NpmTable::embedded)
    }

    fn debian(&self) -> &DebianTable {
        self.tables.debian.get_or_init(DebianTable::embedded)
    }

    /// How far bytes of a kind are compressed in a layer.
    pub fn compression(&self, kind: Kind, codec: Codec) -> Compression {
        compression::find(kind, codec)
    }

    /// Source and date of the ratios of [`Self::compression`].
    pub fn compression_basis(&self) -> Basis {
        compression::basis()
    }

    fn python(&self) -> &PythonTable {
        self.tables.python.get_or_init(PythonTable::embedded)
    }

    fn images(&self) -> &ImageTable {
        self.tables.images.get_or_init(ImageTable::embedded)
    }
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Catalog")
    }
}
