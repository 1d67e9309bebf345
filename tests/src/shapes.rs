//! Texts of any size in the shapes that are hardest on a parser: for the limits of memory and time, and for the benches.

/// A name, and the text of about a size in bytes.
pub type Shape = (&'static str, fn(usize) -> String);

/// Every shape.
pub fn all() -> Vec<Shape> {
    vec![
        ("instructions", |n| {
            "FROM a\nRUN b c\nENV D=e\n".repeat(n / 22)
        }),
        ("tiny instructions", |n| "RUN\n".repeat(n / 4)),
        ("empty lines", |n| "\n".repeat(n)),
        ("one heredoc", |n| {
            format!("FROM a\nRUN <<EOF\n{}EOF\n", "echo line\n".repeat(n / 10))
        }),
        ("one long continuation", |n| {
            format!("FROM a\nRUN b {}c\n", "\\\n  && echo d ".repeat(n / 14))
        }),
        ("empty continuations", |n| {
            format!("FROM a\nRUN b {}\n", "\\\n".repeat(n / 2))
        }),
        ("comments in a continuation", |n| {
            format!("FROM a\nRUN b \\\n{} c\n", "# d\n".repeat(n / 4))
        }),
        ("one long ENV", |n| {
            format!("FROM a\nENV {}z=1\n", "key=value \\\n".repeat(n / 12))
        }),
        ("long lines", |n| {
            format!("RUN {}\n", "a ".repeat(30_000)).repeat(n / 60_005 + 1)
        }),
        ("heredocs that never end", |n| {
            "RUN <<A <<B <<C\n".repeat(n / 16)
        }),
        ("many heredocs", |n| {
            format!("FROM a\n{}", "RUN <<E\necho a\nE\n".repeat(n / 17))
        }),
        ("many heredocs of one COPY", |n| {
            let (mut words, mut bodies) = (String::new(), String::new());
            for number in 0..n / 230 {
                words += &format!("<<E{number:06} \\\n");
                bodies += &"a line of a file that is written here\n".repeat(5);
                bodies += &format!("E{number:06}\n");
            }
            format!("FROM a\nCOPY {words}/\n{bodies}")
        }),
        ("pieces of one byte", |n| {
            format!("FROM a\nRUN {}\n", "b\\\n".repeat(n / 3))
        }),
        ("short continued instructions", |n| {
            "ARG a\\\nb\n".repeat(n / 10)
        }),
        ("a dense end", |n| {
            format!(
                "# {}\nRUN {}\n",
                "-\n# ".repeat(n / 8),
                "b\\\n".repeat(n / 6)
            )
        }),
        ("one long LABEL", |n| {
            format!(
                "FROM a\nLABEL {}z=1\n",
                "org.key=\"a value\" \\\n".repeat(n / 20)
            )
        }),
        ("one long ARG", |n| {
            format!("FROM a\nARG {}z=1\n", "NAME=default \\\n".repeat(n / 15))
        }),
        ("one long COPY", |n| {
            format!("FROM a\nCOPY {}/\n", "src/file.rs \\\n".repeat(n / 14))
        }),
        ("one long EXPOSE", |n| {
            format!("FROM a\nEXPOSE {}1\n", "8080/tcp \\\n".repeat(n / 11))
        }),
        ("one long array", |n| {
            format!(
                "FROM a\nCMD [{}\"z\"]\n",
                "\"argument\", \\\n".repeat(n / 14)
            )
        }),
        ("a long array of files", |n| {
            format!(
                "FROM a\nCOPY [{}\"z\"]\n",
                "\"src/file.rs\", \\\n".repeat(n / 17)
            )
        }),
        ("many flags", |n| {
            format!(
                "FROM a\nCOPY {}a b\n",
                "--exclude=pattern \\\n".repeat(n / 20)
            )
        }),
        ("many mounts", |n| {
            let mount = "--mount=type=cache,target=/root/.cache \\\n";
            format!("FROM a\nRUN {}b\n", mount.repeat(n / 41))
        }),
    ]
}
