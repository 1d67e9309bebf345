//! A context of 50,000 files and 1 GB: read and hashed, beside `sha256sum` on the same files, and read again with nothing changed since,
//! beside the bare calls that ask the system about every file. Each round times all of them, one after the other; what is told are the
//! medians.
//!
//! The folder is made below `target`, or below `STAGEWRIGHT_BENCH_FOLDER`, and stays there for the next run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use stagewright::Context;
use stagewright::context::DirectoryOptions;

const FOLDERS: usize = 1_000;
const FILES: usize = 50;
/// The bytes of one file.
const SIZE: usize = 20_000;
const ROUNDS: usize = 5;

fn main() -> io::Result<()> {
    let filters: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    if !filters.is_empty() && !filters.iter().any(|filter| "context".contains(&**filter)) {
        return Ok(());
    }
    let folder = make()?;
    let cores = std::thread::available_parallelism()?.get();
    let read = |since: Option<&Context>| {
        let options = DirectoryOptions::default().hash(true);
        let options = match since {
            Some(since) => options.since(since.clone()),
            None => options,
        };
        Context::directory_with(&folder, &options).expect("the folder can be read")
    };
    // Once, so that the files are in memory for everybody.
    let first = read(None);
    assert_eq!(first.file_count(), FOLDERS * FILES);
    let mut times = [const { Vec::new() }; 4];
    for _ in 0..ROUNDS {
        times[0].push(sha256sum(&folder)?);
        times[1].push(timed(|| assert_eq!(read(None).digest(), first.digest())));
        times[2].push(timed(|| {
            assert_eq!(read(Some(&first)).digest(), first.digest());
        }));
        times[3].push(timed(|| ask(&folder, cores)));
    }
    let [sha256sum, hashed, again, asked] = times.map(median);
    let ratio = |one: Duration, other: Duration| one.as_secs_f64() / other.as_secs_f64();
    eprintln!(
        "{} files, {} MB, {cores} cores, medians of {ROUNDS} rounds",
        FOLDERS * FILES,
        FOLDERS * FILES * SIZE / 1_000_000
    );
    eprintln!("sha256sum                        {sha256sum:>9.1?}");
    eprintln!(
        "read and hashed                  {hashed:>9.1?}   {:.1} times as fast as sha256sum",
        ratio(sha256sum, hashed)
    );
    eprintln!(
        "read again with nothing changed  {again:>9.1?}   a {:.0}th of reading and hashing, a {:.0}th of sha256sum",
        ratio(hashed, again),
        ratio(sha256sum, again)
    );
    eprintln!(
        "the system asked about each file {asked:>9.1?}   reading again takes {:.2} times that",
        ratio(again, asked)
    );
    Ok(())
}

/// Asks the system about every file with nothing around it: what no reader that trusts times can do without.
fn ask(folder: &Path, cores: usize) {
    let names: Vec<String> = (0..FILES).map(|file| format!("f{file}.bin")).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let one = next.fetch_add(1, Ordering::Relaxed);
                    if one >= FOLDERS {
                        return;
                    }
                    ask_below(&folder.join(format!("d{one}")), &names);
                }
            });
        }
    });
}

#[cfg(unix)]
fn ask_below(folder: &Path, names: &[String]) {
    use rustix::fs::{AtFlags, CWD, Mode, OFlags, openat, statat};
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = openat(CWD, folder, flags, Mode::empty()).expect("the folder is there");
    for name in names {
        statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW).expect("the file is there");
    }
}

#[cfg(not(unix))]
fn ask_below(folder: &Path, names: &[String]) {
    for name in names {
        fs::symlink_metadata(folder.join(name)).expect("the file is there");
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn sha256sum(folder: &Path) -> io::Result<Duration> {
    let start = Instant::now();
    let status = Command::new("sh")
        .args(["-c", "find . -type f -print0 | xargs -0 sha256sum"])
        .current_dir(folder)
        .stdout(Stdio::null())
        .status()?;
    assert!(status.success(), "sha256sum: {status}");
    Ok(start.elapsed())
}

/// The folder, made where it is not there yet; the last file shows that it is whole.
fn make() -> io::Result<PathBuf> {
    let folder = std::env::var_os("STAGEWRIGHT_BENCH_FOLDER").map_or_else(
        || PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("context"),
        PathBuf::from,
    );
    if folder
        .join(format!("d{}/f{}.bin", FOLDERS - 1, FILES - 1))
        .exists()
    {
        return Ok(folder);
    }
    let mut state = 1_u64;
    for one in 0..FOLDERS {
        let below = folder.join(format!("d{one}"));
        fs::create_dir_all(&below)?;
        for file in 0..FILES {
            let bytes: Vec<u8> = std::iter::repeat_with(|| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 33).to_le_bytes()[0]
            })
            .take(SIZE)
            .collect();
            fs::write(below.join(format!("f{file}.bin")), bytes)?;
        }
    }
    // What was touched in the last two seconds is never trusted to be the same.
    std::thread::sleep(Duration::from_secs(3));
    Ok(folder)
}
