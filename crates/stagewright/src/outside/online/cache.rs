//! What was learned before: one small file for each answer, in the folder that the caller names and nowhere else.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::OnlineError;
use crate::measure::blob::hex;

/// Grows when an answer gets another form.
const VERSION: u32 = 1;

/// The largest answer that is read again.
const LARGEST: u64 = 64 << 20;

#[derive(Serialize, Deserialize)]
struct Kept<T> {
    version: u32,
    key: String,
    value: T,
}

/// Answers by their question.
pub(super) struct Cache {
    folder: Option<PathBuf>,
    next: AtomicU64,
}

impl Cache {
    /// Opens a folder, making it if it is not there.
    pub(super) fn open(folder: Option<&Path>) -> Result<Self, OnlineError> {
        if let Some(path) = folder {
            fs::create_dir_all(path).map_err(|source| OnlineError::Cache {
                path: path.to_owned(),
                source: Arc::new(source),
            })?;
        }
        Ok(Self {
            folder: folder.map(Path::to_owned),
            next: AtomicU64::new(0),
        })
    }

    fn place(&self, key: &str) -> Option<PathBuf> {
        let name = hex(&Sha256::digest(key.as_bytes()));
        Some(self.folder.as_ref()?.join(format!("{name}.json")))
    }

    /// An answer that is no older than `most`, where it can grow old. A damaged file is no answer.
    pub(super) fn get<T: DeserializeOwned>(&self, key: &str, most: Option<Duration>) -> Option<T> {
        let path = self.place(key)?;
        let metadata = fs::metadata(&path).ok()?;
        if !metadata.is_file() || metadata.len() > LARGEST {
            return None;
        }
        if let Some(most) = most {
            let age = SystemTime::now()
                .duration_since(metadata.modified().ok()?)
                .ok()?;
            if age > most {
                return None;
            }
        }
        let kept: Kept<T> = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        (kept.version == VERSION && kept.key == key).then_some(kept.value)
    }

    /// Keeps an answer. Others may do so at the same time: each writes a file of its own and renames it.
    pub(super) fn put<T: Serialize>(&self, key: &str, value: &T) -> Result<(), OnlineError> {
        let Some(path) = self.place(key) else {
            return Ok(());
        };
        let kept = Kept {
            version: VERSION,
            key: key.to_owned(),
            value,
        };
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let waiting = path.with_extension(format!("{}-{number}.new", std::process::id()));
        let write = || -> io::Result<()> {
            let text = serde_json::to_vec(&kept)?;
            let mut file = fs::File::options()
                .write(true)
                .create_new(true)
                .open(&waiting)?;
            file.write_all(&text)?;
            fs::rename(&waiting, &path)
        };
        write().map_err(|source| {
            // Nothing more can be done about a file that cannot be removed.
            let _ = fs::remove_file(&waiting);
            OnlineError::Cache {
                path: self.folder.clone().unwrap_or_default(),
                source: Arc::new(source),
            }
        })
    }
}
