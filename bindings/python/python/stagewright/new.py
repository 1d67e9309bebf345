"""New instructions, for `Dockerfile.of`, `Dockerfile.insert_after` and their like: dictionaries whose first key is the instruction.

    >>> from stagewright import Dockerfile
    >>> file = Dockerfile.of([{"from": "python:3.12-slim", "name": "base"}, {"env": {"PORT": "8000"}}])
    >>> file = file.append({"run": "pip install flask", "mounts": [{"type": "cache", "target": "/root/.cache/pip"}]})
    >>> print(file.text, end="")
    FROM python:3.12-slim AS base
    ENV PORT=8000
    RUN --mount=type=cache,target=/root/.cache/pip pip install flask

A `Command` is a text for the shell, or a list of words to be run without one. Values are quoted where they must be. The classes here are for
type checkers; at run time their instances are plain dictionaries.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Union

__all__ = [
    "Add",
    "Arg",
    "Cmd",
    "Command",
    "Copy",
    "Entrypoint",
    "Env",
    "Expose",
    "From",
    "Healthcheck",
    "Label",
    "Lines",
    "NewInstruction",
    "NewMount",
    "Onbuild",
    "Run",
    "Script",
    "Shell",
    "Stopsignal",
    "User",
    "Volume",
    "Workdir",
]

Command = Union[str, Sequence[str]]
"""A text for the shell, or the words of a program and its arguments."""

NewMount = Mapping[str, Union[str, int, bool]]
"""A mount of a `RUN`: its options as they stand in the flag. One without a value, such as `readonly`, is `True`."""

_FromImage = TypedDict("_FromImage", {"from": str})
_CopyFrom = TypedDict("_CopyFrom", {"from": str}, total=False)


class From(_FromImage, total=False):
    """`FROM`: the image or stage, the name of the new stage, and the platform."""

    name: str
    platform: str


class Script(TypedDict):
    """A script for `RUN`, which becomes a heredoc."""

    script: str


class Lines(TypedDict):
    """A command for `RUN` over several lines, each continued by the next."""

    lines: Sequence[str]


class _Run(TypedDict):
    run: Union[Command, Script, Lines]


class Run(_Run, total=False):
    """`RUN`."""

    mounts: Sequence[NewMount]
    network: str
    security: str


class _Copy(TypedDict):
    copy: Command
    to: str


class Copy(_Copy, _CopyFrom, total=False):
    """`COPY`: one source or several, and where they go; `from` is a stage or an image."""

    chown: str
    chmod: str
    link: bool
    parents: bool
    exclude: Command


class _Add(TypedDict):
    add: Command
    to: str


class Add(_Add, total=False):
    """`ADD`: one source or several, and where they go."""

    chown: str
    chmod: str
    link: bool
    exclude: Command
    checksum: str
    keep_git_dir: bool
    unpack: bool


class _Env(TypedDict):
    env: Mapping[str, Union[str, int]]


class Env(_Env, total=False):
    """`ENV`. Variables in values are expanded, unless they are `literal`."""

    literal: bool


class _Label(TypedDict):
    label: Mapping[str, Union[str, int]]


class Label(_Label, total=False):
    """`LABEL`. Variables in values are expanded, unless they are `literal`."""

    literal: bool


class _Arg(TypedDict):
    arg: str


class Arg(_Arg, total=False):
    """`ARG`: a name, and its default."""

    default: str


class Workdir(TypedDict):
    """`WORKDIR`."""

    workdir: str


class User(TypedDict):
    """`USER`."""

    user: str


class Stopsignal(TypedDict):
    """`STOPSIGNAL`."""

    stopsignal: str


class Cmd(TypedDict):
    """`CMD`."""

    cmd: Command


class Entrypoint(TypedDict):
    """`ENTRYPOINT`."""

    entrypoint: Command


class Shell(TypedDict):
    """`SHELL`."""

    shell: Sequence[str]


class Expose(TypedDict):
    """`EXPOSE`: one port or several, each a number or a text such as `53/udp`."""

    expose: Union[int, str, Sequence[Union[int, str]]]


class Volume(TypedDict):
    """`VOLUME`: one path or several."""

    volume: Command


class _Healthcheck(TypedDict):
    healthcheck: Union[Command, None]


class Healthcheck(_Healthcheck, total=False):
    """`HEALTHCHECK`: a command, or `None` to switch the check of the base image off. Durations are Go's: `30s`."""

    interval: str
    timeout: str
    start_period: str
    retries: int


class Onbuild(TypedDict):
    """`ONBUILD`: an instruction for the images that are built on this one."""

    onbuild: Any


NewInstruction = Union[
    str,
    From,
    Run,
    Copy,
    Add,
    Env,
    Label,
    Arg,
    Workdir,
    User,
    Stopsignal,
    Cmd,
    Entrypoint,
    Shell,
    Expose,
    Volume,
    Healthcheck,
    Onbuild,
]
"""A new instruction; or lines that are written as they are."""
