//! Faulty and unusual Dockerfiles made from real ones, the same ones for the same seed.

/// A small generator of pseudo-random numbers (xorshift64*).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator; seeds that differ give sequences that differ.
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `limit`, which must not be 0.
    pub fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).expect("a usize fits in 64 bits");
        usize::try_from(self.next() % limit).expect("it is below a usize")
    }

    /// One of some things.
    pub fn pick<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.below(things.len())]
    }
}

/// Pieces that mean something somewhere in a Dockerfile.
const PIECES: &[&str] = &[
    "\\",
    "`",
    "\\\n",
    "`\n",
    " \\ \t\n",
    "\n",
    "\r\n",
    "\r",
    " ",
    "\t",
    "\u{b}",
    "\u{a0}",
    "\u{85}",
    "\u{3000}",
    "\u{feff}",
    "#",
    "\n#",
    "\n # x\n",
    "\n\n",
    "'",
    "\"",
    "$",
    "${",
    "}",
    "${a:-b}",
    "$a",
    "=",
    "==",
    "a=b",
    "--",
    "--from=x",
    "--mount=type=cache,target=/x",
    "--mount=from=$x",
    "--link",
    "--link=true",
    "--link=x",
    "--chown",
    "--chmod=",
    "--platform=$P",
    "--network=none",
    "--network=x",
    "--security=insecure",
    "--device=a,b=c",
    "--interval=5s",
    "--interval=5",
    "--retries=-1",
    "--exclude=a",
    "--x='a b'",
    "--parents",
    "--unpack=false",
    "--keep-git-dir",
    "--checksum=sha256:0",
    "[",
    "]",
    "[]",
    "[\"a\", \"b\"]",
    "[\"a\", 1]",
    "['a']",
    "[\"a\",]",
    "\"\\u00e9\"",
    "<<EOF",
    "<<-EOF",
    "<<'EOF'",
    "<<\"E O F\"",
    "<< EOF",
    "3<<EOF",
    "<<<EOF",
    "\nEOF\n",
    "\n\tEOF\n",
    "EOF",
    "<<",
    "<",
    "FROM",
    "from x as y",
    " AS ",
    " as 9",
    "RUN ",
    "COPY ",
    "ADD ",
    "ENV ",
    "ARG ",
    "LABEL ",
    "WORKDIR ",
    "USER ",
    "CMD ",
    "ENTRYPOINT ",
    "EXPOSE ",
    "VOLUME ",
    "SHELL ",
    "STOPSIGNAL ",
    "HEALTHCHECK ",
    "ONBUILD ",
    "ONBUILD ONBUILD ",
    "ONBUILD FROM a",
    "MAINTAINER ",
    "NONE",
    "CMD",
    "ENV a b=c",
    "RUNN ",
    "FORM ",
    "# escape=`\n",
    "# escape=x\n",
    "# syntax=a\n",
    "# check=skip=all\n",
    "#escape = \\\n",
    "é",
    "한국",
    "😀",
    "\u{0}",
    "\u{7f}",
    ",",
    ";",
    "&&",
    "İ",
    "\u{212a}",
    "ſ",
];

/// A change of one text, now and then with a part of another.
pub fn mutate(text: &str, other: &str, random: &mut Random) -> String {
    let mut out = text.to_owned();
    for _ in 0..=random.below(4) {
        step(&mut out, other, random);
    }
    out
}

fn step(text: &mut String, other: &str, random: &mut Random) {
    match random.below(10) {
        0..=3 => {
            let at = place(text, random);
            let piece: &str = random.pick::<&str>(PIECES);
            text.insert_str(at, piece);
        }
        4 => {
            let at = word_start(text, random);
            let piece: &str = random.pick::<&str>(PIECES);
            text.insert_str(at, piece);
        }
        5 => {
            let at = place(text, random);
            if at < text.len() {
                text.remove(at);
            }
        }
        6 => {
            let (start, end) = line(text, random);
            text.replace_range(start..end, "");
        }
        7 => {
            let (start, end) = line(text, random);
            let copy = text[start..end].to_owned();
            let at = place(text, random);
            text.insert_str(at, &copy);
        }
        8 => {
            let (start, end) = line(other, random);
            let at = word_start(text, random);
            text.insert_str(at, &other[start..end]);
        }
        _ => {
            let at = place(text, random);
            text.truncate(at);
        }
    }
}

/// A place between two characters.
fn place(text: &str, random: &mut Random) -> usize {
    let mut at = random.below(text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A place at the start of a line or behind a blank.
fn word_start(text: &str, random: &mut Random) -> usize {
    let at = place(text, random);
    text[..at]
        .rfind(['\n', ' ', '='])
        .map_or(0, |blank| blank + 1)
}

/// A line with its break.
fn line(text: &str, random: &mut Random) -> (usize, usize) {
    let at = place(text, random);
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[at..].find('\n').map_or(text.len(), |len| at + len + 1);
    (start, end)
}
