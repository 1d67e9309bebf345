//! The contents of files as git keeps them.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::Arc;

use super::{GitError, git, of_start};
use crate::context::{Content, File, Header, LONGEST_TEXT, Node, file_node};

/// How much of a large file is read at a time, in bytes.
const CHUNK: usize = 256 << 10;

/// `git cat-file --batch`: one request and one answer at a time.
pub(super) struct Blobs {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Blobs {
    /// `links` says that a path that is a symbolic link stands for what it leads to.
    pub(super) fn open(folder: &Path, links: bool) -> Result<Self, GitError> {
        let mut command = git(folder);
        command.args(["cat-file", "--batch"]);
        if links {
            command.arg("--follow-symlinks");
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(of_start)?;
        let requests = child.stdin.take();
        let answers = child.stdout.take();
        Ok(Self {
            child,
            requests,
            answers: BufReader::new(answers.expect("it was asked for")),
        })
    }

    /// How many bytes follow; nothing where the object is no file.
    fn ask(&mut self, object: &str) -> Result<Option<u64>, GitError> {
        let mut ask = || -> io::Result<String> {
            let requests = self.requests.as_mut().expect("it is taken at the end only");
            writeln!(requests, "{object}")?;
            requests.flush()?;
            let mut head = String::new();
            self.answers.read_line(&mut head)?;
            Ok(head)
        };
        let head = ask().map_err(GitError::failed)?;
        let words: Vec<&str> = head.split_ascii_whitespace().collect();
        match words.as_slice() {
            [_, "blob", size] => size.parse().map(Some).map_err(GitError::failed),
            [] => Err(GitError::failed("nothing, and ends")),
            _ => Ok(None),
        }
    }

    pub(super) fn read(&mut self, object: &str) -> Result<Option<Vec<u8>>, GitError> {
        let Some(size) = self.ask(object)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        let mut body = (&mut self.answers).take(size);
        body.read_to_end(&mut bytes).map_err(GitError::failed)?;
        self.end_of_line()?;
        Ok(Some(bytes))
    }

    /// A file as the context holds it; a large one is hashed as it comes.
    pub(super) fn file(&mut self, object: &str, mode: u32) -> Result<Option<Node>, GitError> {
        let Some(size) = self.ask(object)? else {
            return Ok(None);
        };
        let mut body = (&mut self.answers).take(size);
        if size <= LONGEST_TEXT as u64 {
            let mut bytes = Vec::new();
            body.read_to_end(&mut bytes).map_err(GitError::failed)?;
            self.end_of_line()?;
            return Ok(Some(file_node(&bytes, mode)));
        }
        let header = Header {
            mode,
            size,
            flag: b'0',
            target: "",
            device: (0, 0),
        };
        let mut hasher = header.start();
        let mut buffer = vec![0; CHUNK];
        loop {
            match body.read(&mut buffer).map_err(GitError::failed)? {
                0 => break,
                count => hasher.write(&buffer[..count]),
            };
        }
        if body.limit() > 0 {
            return Err(GitError::failed("nothing, and ends"));
        }
        self.end_of_line()?;
        Ok(Some(Node::File(Arc::new(File {
            size,
            mode,
            content: Content::Record(hasher.finish()),
            stamp: None,
            text: None,
        }))))
    }

    fn end_of_line(&mut self) -> Result<(), GitError> {
        let mut byte = [0];
        self.answers.read_exact(&mut byte).map_err(GitError::failed)
    }
}

impl Drop for Blobs {
    fn drop(&mut self) {
        // It ends when nothing more can come; nothing can be done where it does not.
        drop(self.requests.take());
        let _ = self.child.wait();
    }
}
