//! Cases follow `convert.go` at v0.32.2 and the Dockerfile reference.

use stagewright_syntax::Dockerfile;

use super::*;
use crate::options::Options;
use stagewright_syntax::git::GitPart;

fn graph_with(text: &str, options: &Options) -> StageGraph {
    let images = |image: &str| {
        (image == "python:3.7").then(|| ImageConfig {
            env: vec![
                ("PATH".into(), "/usr/local/bin:/bin".into()),
                ("LANG".into(), "C.UTF-8".into()),
            ],
            onbuild: vec!["ENV TRIGGERED=1".into()],
            ..ImageConfig::default()
        })
    };
    StageGraph::new(&Dockerfile::parse(text), options, &images).expect("the file has a stage")
}

fn graph(text: &str) -> StageGraph {
    graph_with(text, &Options::default())
}

fn env(state: &State) -> Vec<(&str, &str)> {
    state.env.iter().collect()
}

#[test]
fn env_sees_the_line_before_and_arg_the_word_before() {
    let graph = graph("FROM scratch\nENV A=1\nENV A=2 B=$A\nARG C=1 D=$C\nARG E\nRUN x\n");
    let end = &graph.target_stage().end;
    assert_eq!(
        env(end),
        [
            ("PATH", DEFAULT_PATH),
            ("A", "2"),
            ("B", "1"),
            ("C", "1"),
            ("D", "1")
        ]
    );
    assert_eq!(
        end.config
            .env
            .iter()
            .map(|(key, _)| key.as_str())
            .collect::<Vec<_>>(),
        ["PATH", "A", "B"]
    );
    assert_eq!(end.args, ["C", "D", "E"]);
}

#[test]
fn arguments_reach_a_stage_only_when_declared() {
    let mut options = Options::default();
    options.build_args.insert("V".into(), "3.7".into());
    options.build_args.insert("NOPE".into(), "x".into());
    let graph = graph_with(
        "ARG V=1\nARG T=python:$V\nFROM $T\nARG V\nARG TARGETARCH=none\nARG TARGETOS\n",
        &options,
    );
    assert_eq!(graph.target_stage().base, Base::Image("python:3.7".into()));
    let end = &graph.target_stage().end;
    assert_eq!(
        (end.env.get("V"), end.env.get("NOPE"), end.env.get("T")),
        (Some("3.7"), None, None)
    );
    assert_eq!(
        (end.env.get("TARGETARCH"), end.env.get("TARGETOS")),
        (Some("none"), Some("linux"))
    );
}

#[test]
fn stages_by_name_index_and_shadow() {
    let text = "FROM a AS Build\nFROM b AS build\nFROM build\nCOPY --from=BUILD /x /\nCOPY --from=0 /y /\nCOPY --from=nginx /z /\nCOPY --from=3 /q /\n";
    let graph = graph(text);
    assert_eq!(
        graph.target_stage().base,
        Base::Stage(StageId(1)),
        "FROM finds the latest earlier one"
    );
    let froms: Vec<&From> = graph
        .target_stage()
        .instructions
        .iter()
        .filter_map(|i| {
            if let Op::Copy(copy) = &i.op {
                Some(&copy.from)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(
        froms[..3],
        [
            &From::Stage(StageId(1)),
            &From::Stage(StageId(0)),
            &From::Image("nginx".into())
        ]
    );
    assert_eq!(graph.findings[0].code, "invalid-stage-index");
    assert!(graph.stages.iter().all(|stage| stage.reachable));
}

#[test]
fn sources_of_add_are_read_as_buildkit_reads_them() {
    let text = "FROM a\nARG V=1\nADD --checksum=c1 https://a.b/c.git?keep-git-dir&checksum=c1#v$V:x /a\nADD https://a.b/c%2e.tgz?d /b\nADD github.com/a/b /c\n";
    let graph = graph(text);
    assert_eq!(graph.findings, []);
    let copies = graph.target_stage().instructions.iter();
    let copies: Vec<&CopyOp> = copies
        .filter_map(|instruction| match &instruction.op {
            Op::Copy(copy) => Some(copy),
            _ => None,
        })
        .collect();
    let CopySource::Git { reference, .. } = &copies[0].sources[0] else {
        panic!("{:?}", copies[0])
    };
    let part = |part: &Option<GitPart>| part.as_ref().map(|part| part.value.clone());
    assert_eq!(part(&reference.reference).as_deref(), Some("v1"));
    assert_eq!(part(&reference.subdir).as_deref(), Some("x"));
    assert_eq!(
        (copies[0].keep_git_dir, copies[0].checksum.as_str()),
        (Some(true), "c1")
    );
    let CopySource::Url { name, .. } = &copies[1].sources[0] else {
        panic!("{:?}", copies[1])
    };
    assert_eq!(name, "c..tgz");
    assert_eq!(
        copies[2].sources[0],
        CopySource::Path("github.com/a/b".into())
    );
}

#[test]
fn faults_of_sources_and_ports_are_told_in_buildkits_words() {
    let cases = [
        ("COPY https://a.b/c /d", "source can't be a URL for COPY"),
        (
            "COPY git@a.b:c.git /d",
            "source can't be a git ref for COPY",
        ),
        ("ADD https://a.b/c.git?x=y /d", "unexpected query \"x\""),
        (
            "ADD --keep-git-dir=false https://a.b/c.git?keep-git-dir=1 /d",
            "inconsistent keep-git-dir configuration",
        ),
        (
            "ADD --checksum=a https://a.b/c.git?commit=b /d",
            "checksum mismatch \"a\" != \"b\"",
        ),
        (
            "ADD --checksum=a b /d",
            "checksum requires HTTP(S) or Git sources",
        ),
        (
            "ADD --checksum=a b c /d/",
            "checksum can't be specified for multiple sources",
        ),
        ("EXPOSE 80/x", "invalid port: \"80/x\": invalid proto: x"),
        ("EXPOSE 2-1", "invalid containerPort: 2-1"),
        ("STOPSIGNAL SIGX", "invalid signal: SIGX"),
        ("VOLUME $X", "VOLUME specified can not be an empty string"),
        ("STOPSIGNAL 0", "invalid signal: 0"),
        ("STOPSIGNAL RTMAX-15", "invalid signal: RTMAX-15"),
        (
            "COPY --chmod=8 b /d",
            "invalid chmod parameter: '8'. it should be octal string and between 0 and 07777",
        ),
        ("COPY --chmod=u+ry b /d", "invalid syntax"),
        (
            "COPY --from=B b /d",
            "failed to parse stage name \"B\": invalid reference format: repository name (library/B) must be lowercase",
        ),
    ];
    for (line, message) in cases {
        let graph = graph(&format!("FROM a\n{line}\n"));
        let said: Vec<&str> = graph.findings.iter().map(|f| f.message.as_str()).collect();
        assert_eq!(said, [message], "{line}");
    }
    for line in [
        "STOPSIGNAL sigrtmin+3",
        "STOPSIGNAL 9",
        "STOPSIGNAL int",
        "COPY --chmod=u=rw,go+X b /d",
        "COPY --chmod=0755 --from= b /d",
    ] {
        assert_eq!(graph(&format!("FROM a\n{line}\n")).findings, [], "{line}");
    }
    let graph = graph("FROM a\nEXPOSE 8001-8002/UDP [::1]:1:80\n");
    assert_eq!(
        graph.target_stage().end.config.ports,
        ["80/tcp", "8001/udp", "8002/udp"]
    );
}

#[test]
fn only_what_the_target_needs_is_built() {
    let mut options = Options {
        target: Some("RUNTIME".into()),
        ..Options::default()
    };
    let graph = graph_with(
        "FROM a AS x\nFROM b AS y\nFROM c AS runtime\nRUN --mount=from=x,target=/x ls\nFROM runtime AS last\n",
        &options,
    );
    assert_eq!(
        graph
            .stages
            .iter()
            .map(|stage| stage.reachable)
            .collect::<Vec<_>>(),
        [true, false, true, false]
    );
    options.target = Some("nope".into());
    let images = |_: &str| None;
    let error = StageGraph::new(&Dockerfile::parse("FROM a AS x\n"), &options, &images)
        .expect_err("no such stage");
    assert_eq!(
        error,
        TargetError::Unknown {
            target: "nope".into(),
            names: vec!["x".into()]
        }
    );
    assert_eq!(
        StageGraph::new(
            &Dockerfile::parse("# nothing\n"),
            &Options::default(),
            &images
        )
        .expect_err("empty"),
        TargetError::NoStages
    );
}

#[test]
fn triggers_run_first_in_the_child_alone() {
    let graph = graph(
        "FROM scratch AS base\nONBUILD COPY a /a\nFROM base AS child\nRUN x\nFROM child\nRUN y\n",
    );
    let texts = |stage: usize| {
        graph.stages[stage]
            .instructions
            .iter()
            .map(|i| i.text.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(texts(1), ["COPY a /a", "RUN x"]);
    assert_eq!(texts(2), ["RUN y"]);
    assert!(graph.stages[1].instructions[0].trigger);
    let image = graph_with("FROM python:3.7\n", &Options::default());
    assert_eq!(image.target_stage().end.env.get("TRIGGERED"), Some("1"));
}

#[test]
fn paths_users_and_shells() {
    let graph = graph(
        "FROM scratch\nWORKDIR app\nWORKDIR /\nWORKDIR src\nCOPY a b/\nCOPY x .\nUSER me\nSHELL [\"/bin/bash\", \"-c\"]\nRUN hi\nCMD go\nENTRYPOINT [\"e\"]\n",
    );
    let ops: Vec<&Op> = graph
        .target_stage()
        .instructions
        .iter()
        .map(|i| &i.op)
        .collect();
    assert_eq!(
        ops[..3],
        [
            &Op::Workdir("/app".into()),
            &Op::Config,
            &Op::Workdir("/src".into())
        ]
    );
    let destinations: Vec<&str> = ops
        .iter()
        .filter_map(|op| {
            if let Op::Copy(copy) = op {
                Some(copy.destination.as_str())
            } else {
                None
            }
        })
        .collect();
    assert_eq!(destinations, ["/src/b/", "/src/"]);
    let Op::Run(run) = ops[7] else {
        panic!("the eighth runs")
    };
    assert_eq!(
        (run.argv.join(" ").as_str(), run.script.as_deref()),
        ("/bin/bash -c hi", Some("hi"))
    );
    let config = &graph.target_stage().end.config;
    assert_eq!(
        (config.user.as_str(), config.entrypoint.as_deref()),
        ("me", Some(["e".to_owned()].as_slice()))
    );
    assert_eq!(
        config.cmd.as_deref().map(<[String]>::len),
        Some(3),
        "a CMD of the same stage stays"
    );
}

#[test]
fn mounts_get_their_defaults() {
    let graph = graph(
        "FROM scratch\nWORKDIR /w\nRUN --mount=type=cache,target=/c --mount=source=a,target=b --mount=type=secret,id=s,env=S x\n",
    );
    let Op::Run(run) = &graph.target_stage().instructions[1].op else {
        panic!("it runs")
    };
    let seen: Vec<_> = run
        .mounts
        .iter()
        .map(|m| (m.kind, m.target.as_str(), m.id.as_str(), m.read_only))
        .collect();
    assert_eq!(
        seen[..2],
        [
            (MountKind::Cache, "/c", "/c", false),
            (MountKind::Bind, "/w/b", "", true)
        ]
    );
    assert_eq!(
        (run.mounts[1].from.as_ref(), run.mounts[1].source.as_str()),
        (Some(&From::Context), "a")
    );
}

#[test]
fn the_first_fault_of_a_copy_is_buildkits() {
    let first = |line: &str| {
        let graph = graph(&format!("FROM scratch\n{line}\n"));
        let finding = graph.findings.first().expect("it is faulty");
        finding.message.clone()
    };
    // `CopyCommand.Expand` and `AddCommand.Expand`: flags, then sources, then the destination.
    let cases = [
        ("COPY --chown=${a ${b ${c", "${a"),
        ("COPY --chmod=${a ${b ${c", "${a"),
        ("COPY ${b ${c", "${b"),
        ("ADD --checksum=${a --chmod=${d ${b ${c", "${d"),
        ("ADD --checksum=${a ${b ${c", "${a"),
    ];
    for (line, word) in cases {
        let start = format!("failed to process \"{word}\"");
        assert!(first(line).starts_with(&start), "{line}: {}", first(line));
    }
}

#[test]
fn volumes_are_trimmed_before_variables_are_put_in() {
    let graph = graph("FROM scratch\nENV d=\"/x \"\nVOLUME /a \u{a0}${d}b\n");
    assert_eq!(graph.target_stage().end.config.volumes, ["/a", "/x b"]);
}

#[test]
fn settings_of_the_linter_are_read_first() {
    let graph = graph("# check=error=perhaps\nFROM a\n");
    let finding = &graph.findings[0];
    assert_eq!(
        (finding.code, finding.span),
        ("invalid-check", Span::new(0, 21))
    );
    assert_eq!(
        finding.message,
        "failed to parse check options: failed to parse check option \"error=perhaps\": strconv.ParseBool: parsing \"perhaps\": invalid \
         syntax"
    );
    assert!(
        graph_with("# check=skip=all;error=true\nFROM a\n", &Options::default())
            .findings
            .is_empty()
    );
}
