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
        ["x", "d", "s", "-", "-", "a", "b"]
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

#[test]
fn constructs_and_their_parts() {
    let script = Script::parse(
        "a || { b; c; }\nif d; then e; elif f; then g; else h; fi && for x in 1 $y 'z'; do i; done; \
         case $w in p|q*) j;; *) k;; esac; l() ( m ); while n; do o; done\nfor x; do r; done",
    );
    assert!(script.complete);
    let places = |index: usize| -> Vec<(usize, usize)> {
        let within = &script.commands[index].within;
        within
            .iter()
            .map(|place| (place.construct, place.part))
            .collect()
    };
    let parts: Vec<_> = (0..script.commands.len()).map(places).collect();
    let expected: Vec<Vec<(usize, usize)>> = vec![
        vec![],
        vec![(0, 0)],
        vec![(0, 0)],
        vec![(1, 0)],
        vec![(1, 1)],
        vec![(1, 2)],
        vec![(1, 3)],
        vec![(1, 5)],
        vec![(2, 0)],
        vec![(3, 0)],
        vec![(3, 1)],
        vec![(4, 0)],
        vec![(5, 0)],
        vec![(5, 1)],
        vec![(6, 0)],
    ];
    assert_eq!(parts, expected);
    let joins: Vec<Join> = script.constructs.iter().map(|one| one.join).collect();
    assert_eq!(
        joins,
        [
            Join::Or,
            Join::Sequence,
            Join::And,
            Join::Sequence,
            Join::Sequence,
            Join::Sequence,
            Join::Sequence
        ]
    );
    let ConstructKind::For { variable, words } = &script.constructs[2].kind else {
        panic!("a loop");
    };
    let raw = |words: &[Word<'_>]| {
        words
            .iter()
            .map(|word| word.raw.to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (*variable, raw(words.as_deref().expect("listed"))),
        ("x", vec!["1".into(), "$y".into(), "'z'".into()])
    );
    let ConstructKind::Case { word, arms } = &script.constructs[3].kind else {
        panic!("a case");
    };
    assert_eq!(
        (word.raw, raw(&arms[0]), raw(&arms[1])),
        ("$w", vec!["p".into(), "q*".into()], vec!["*".to_owned()])
    );
    assert_eq!(script.constructs[4].kind, ConstructKind::Function("l"));
    assert!(matches!(
        script.constructs[6].kind,
        ConstructKind::For { words: None, .. }
    ));
}

#[test]
fn ends_are_cut_and_known_scripts_answer() {
    let value = |text: &str| {
        let script = Script::parse(text);
        let lookup = |name: &str| (name == "V").then(|| "1.22.4-rc.1".to_owned());
        let run = |script: &str| (script == "arch").then(|| "x86_64".to_owned());
        script.commands[0].words[0].expand_with(&lookup, &run)
    };
    // Expected values: what dash and bash print for them.
    for (text, expected) in [
        ("${V%.*}", "1.22.4-rc"),
        ("${V%%.*}", "1"),
        ("${V#*.}", "22.4-rc.1"),
        ("${V##*.}", "1"),
        ("${V%-rc.1}", "1.22.4"),
        ("${V%x}", "1.22.4-rc.1"),
        ("${V#1}", ".22.4-rc.1"),
        ("a-$(arch).tar", "a-x86_64.tar"),
    ] {
        assert_eq!(value(text).as_deref(), Some(expected), "{text}");
    }
    for unknown in ["$(date)", "${V%[0-9]}", "${V%$W}", "${W%.*}", "${V//./-}"] {
        assert_eq!(value(unknown), None, "{unknown}");
    }
}
