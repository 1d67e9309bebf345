use super::*;

/// Every command as its words, with `&&`, `||`, `|` for the join, `?` if conditional, `@` if looped, `(n` for subshells.
fn shape(text: &str) -> Vec<String> {
    let script = Script::parse(text);
    assert!(script.complete, "{text:?} is understood: {script:?}");
    script
        .commands
        .iter()
        .map(|command| {
            let mut out = String::from(match command.join {
                Join::Sequence => "",
                Join::And => "&& ",
                Join::Or => "|| ",
                Join::Pipe => "| ",
            });
            if command.conditional {
                out.push('?');
            }
            if command.looped {
                out.push('@');
            }
            out.extend(command.subshells.iter().map(|number| format!("({number}")));
            let words: Vec<&str> = command.words.iter().map(|word| word.raw).collect();
            out.push_str(&words.join(" "));
            out
        })
        .collect()
}

#[test]
fn lists_and_pipes() {
    assert_eq!(
        shape("a && b || c | d; e & f\ng"),
        ["a", "&& b", "|| c", "| d", "e", "f", "g"]
    );
    assert_eq!(shape("a &&\n\n # why\n b \\\n c"), ["a", "&& b c"]);
    assert_eq!(shape("a # b && c"), ["a"]);
    assert_eq!(shape("a#b c"), ["a#b c"]);
}

#[test]
fn constructs() {
    assert_eq!(
        shape("if a; then b; elif c; then d; else e; fi; f"),
        ["a", "?b", "?c", "?d", "?e", "f"]
    );
    assert_eq!(shape("for x in 1 2; do a $x; done && b"), ["@a $x", "&& b"]);
    assert_eq!(shape("while a; do b; done"), ["a", "?@b"]);
    assert_eq!(
        shape("case \"$x\" in a|b) c ;; (*) d; esac; e"),
        ["?c", "?d", "e"]
    );
    assert_eq!(
        shape("(cd x && (a)) ; { b; }; c"),
        ["(1cd x", "&& (1(2a", "b", "c"]
    );
    assert_eq!(shape("f() { a; }\nfunction g { b; }\nf"), ["?a", "?b", "f"]);
    assert_eq!(
        shape("set -e; [[ a < b && -n $c ]] && d; ! e"),
        ["set -e", "[[ a < b && -n $c ]]", "&& d", "e"]
    );
    assert_eq!(
        shape("for ((i=0;i<3;i++)); do a; done; ((x=1)); b"),
        ["@a", "b"]
    );
}

#[test]
fn words_and_quotes() {
    let script = Script::parse(r#"A=1 B="$A b" cmd 'x y' "a\"b" c\ d $'t\'n' "" -n"$V" p*q"#);
    let command = &script.commands[0];
    assert_eq!(
        command
            .assignments
            .iter()
            .map(|a| (a.name, a.value.raw))
            .collect::<Vec<_>>(),
        [("A", "1"), ("B", "\"$A b\"")]
    );
    let words: Vec<_> = command
        .words
        .iter()
        .map(|word| word.literal().map(std::borrow::Cow::into_owned))
        .collect();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        words,
        [
            some("cmd"),
            some("x y"),
            some("a\"b"),
            some("c d"),
            some("t'n"),
            some(""),
            None,
            None
        ]
    );
    let lookup = |name: &str| (name == "V").then(|| "1 2".to_owned());
    assert_eq!(command.words[6].expand(&lookup), some("-n1 2"));
    assert_eq!(command.words[7].expand(&lookup), some("p*q"));
}

#[test]
fn variables_split_only_outside_quotes() {
    let fields = |text: &str| {
        let script = Script::parse(text);
        let lookup = |name: &str| match name {
            "P" => Some("a b ".to_owned()),
            "E" => Some(String::new()),
            _ => None,
        };
        script.commands[0]
            .words
            .iter()
            .flat_map(|word| word.fields(&lookup))
            .map(|field| field.unwrap_or_else(|| "-".into()))
            .collect::<Vec<_>>()
    };
    assert_eq!(fields("x $P y"), ["x", "a", "b", "y"]);
    assert_eq!(fields("x \"$P\""), ["x", "a b "]);
    assert_eq!(fields("x $E \"$E\" 1$P"), ["x", "", "1a", "b"]);
    assert_eq!(
        fields("x ${N:-d} ${P:+s} $N $(date) ${P%b}"),
        ["x", "d", "s", "-", "-", "-"]
    );
}

#[test]
fn redirects_and_here_documents() {
    let script =
        Script::parse("cat <<EOF >/f 2>&1 && b\nline $x\nEOF\nc <<-'X'\n\tq\n\tX\nd <<< w\n");
    assert!(script.complete);
    assert_eq!(
        script
            .commands
            .iter()
            .map(|c| c.words[0].raw)
            .collect::<Vec<_>>(),
        ["cat", "b", "c", "d"]
    );
    let redirects = &script.commands[0].redirects;
    assert_eq!(
        (redirects[0].body, redirects[1].target.raw, redirects[2].fd),
        (Some("line $x\n"), "/f", Some(2))
    );
    assert_eq!(script.commands[2].redirects[0].body, Some("\tq\n"));
    assert_eq!(shape("diff <(a) >(b) && c"), ["diff", "&& c"]);
}

#[test]
fn spans_are_those_of_the_text() {
    let text = "set -e;  pip install  -r x";
    let script = Script::parse(text);
    assert_eq!(script.commands[1].text(text), "pip install  -r x");
    let word = &script.commands[1].words[1];
    assert_eq!(
        &text[word.span.start as usize..word.span.end as usize],
        "install"
    );
}

#[test]
fn what_is_broken_is_said() {
    for text in [
        "a 'b",
        "a \"b",
        "if a; then b",
        "fi",
        "a)",
        "(a",
        "case x in",
        "a <",
        "${x",
        "$(a",
        "`a",
        "a ;; b",
        "done",
        "}",
    ] {
        assert!(!Script::parse(text).complete, "{text:?}");
    }
    assert_eq!(Script::parse("a; b 'c").commands[0].words[0].raw, "a");
}

#[test]
fn what_nothing_closes_goes_to_the_end() {
    for text in [
        "a <(éü", "a $(éü", "a ${éü", "a $((é", "a >(", "a $(", "a ${",
    ] {
        assert!(!Script::parse(text).complete, "{text:?}");
    }
    let script = Script::parse("a <(b ü");
    let [Part::Substitution { script, .. }] = &script.commands[0].redirects[0].target.parts[..]
    else {
        panic!("{script:?}");
    };
    assert_eq!(*script, "b ü");
}

#[test]
fn depth_costs_no_stack() {
    for (open, close) in [
        ("(", ")"),
        ("$(", ")"),
        ("${a:-", "}"),
        ("if a; then ", "; fi"),
        ("{ ", "; }"),
    ] {
        let deep = format!("{}b{}", open.repeat(50_000), close.repeat(50_000));
        let _ = Script::parse(&deep);
        let _ = Script::parse(&open.repeat(50_000));
    }
}
