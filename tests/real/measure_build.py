#!/usr/bin/env python3
"""Builds Dockerfiles with a running BuildKit and prints what each layer really weighs, as JSON.

    measure_build.py CONTEXT DOCKERFILE... [--base NAME=IMAGE]...
    measure_build.py --archive IMAGE.tar [--last N]     what stands in an OCI archive: `config` and `layers`, or the N topmost

`--base NAME=IMAGE` builds with IMAGE wherever a Dockerfile says `FROM NAME`, as a named build context does;
its layers are marked `base` in the answer. Needs `buildctl` on PATH and BUILDKIT_HOST set; Python >= 3.10.

For each Dockerfile: `image` (the sums) and `layers`, bottom first. A layer's `bytes` are the file bytes in its tar
archive, the number that `docker history` shows: directories, links and headers count nothing. `gzip` is the blob
as BuildKit writes it by default, the number of bytes that a host pulls. `kinds` splits `bytes` by what the files are.
"""
import argparse
import gzip
import hashlib
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile

WEB = {".css", ".eot", ".gif", ".html", ".ico", ".jpg", ".js", ".less", ".map", ".png", ".scss", ".svg", ".ttf", ".woff", ".woff2"}


def kind(path):
    suffix = path.suffix
    if path.parts[:2] in {("root", ".cache"), ("root", ".npm")}:
        return "cache"
    if suffix == ".py":
        return "python"
    if suffix == ".pyc":
        return "byte_code"
    if suffix == ".so" or ".so." in path.name:
        return "native"
    if suffix in WEB:
        return "web"
    return "other"


def build(context, dockerfile, bases, archive):
    command = [
        "buildctl", "build", "--frontend", "dockerfile.v0", "--progress", "plain",
        "--local", f"context={context}", "--local", f"dockerfile={dockerfile.parent}", "--opt", f"filename={dockerfile.name}",
        "--output", f"type=oci,dest={archive}",
    ]
    for name, image in bases.items():
        command += ["--opt", f"context:{name}=docker-image://{image}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{dockerfile}: the build failed\n{done.stderr[-3000:]}")


def read(archive, last=None):
    """The configuration of the image in an OCI archive, and each layer, or the last ones, bottom first, with its instruction."""
    layers = []
    with tarfile.open(archive) as oci:
        def blob(descriptor):
            return oci.extractfile("blobs/" + descriptor["digest"].replace(":", "/"))

        manifest = json.load(oci.extractfile("index.json"))["manifests"][0]
        manifest = json.load(blob(manifest))
        if "manifests" in manifest:
            manifest = json.load(blob(manifest["manifests"][0]))
        config = json.load(blob(manifest["config"]))
        history = [step for step in config["history"] if not step.get("empty_layer")]
        found = list(zip(manifest["layers"], config["rootfs"]["diff_ids"], history, strict=True))
        if last is not None and last > len(found):
            sys.exit(f"{len(found)} layers, not {last}")
        for descriptor, diff_id, step in found if last is None else found[len(found) - last:]:
            kinds, files = {}, 0
            with gzip.open(blob(descriptor)) as data, tarfile.open(fileobj=data, mode="r|") as layer:
                for entry in layer:
                    if entry.isreg():
                        files += 1
                        of = kind(pathlib.PurePosixPath(entry.name))
                        kinds[of] = kinds.get(of, 0) + entry.size
            layers.append({
                "instruction": step["created_by"].removesuffix(" # buildkit").replace("RUN /bin/sh -c ", "RUN "),
                "diff_id": diff_id,
                "bytes": sum(kinds.values()),
                "gzip": descriptor["size"],
                "files": files,
                "kinds": dict(sorted(kinds.items())),
            })
    return config["config"], layers


def measure(context, dockerfile, bases, scratch):
    archive = scratch / "image.tar"
    build(context, dockerfile, bases, archive)
    return read(archive)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("context", nargs="?", type=pathlib.Path)
    parser.add_argument("dockerfiles", nargs="*", type=pathlib.Path)
    parser.add_argument("--archive", type=pathlib.Path)
    parser.add_argument("--last", type=int, metavar="N")
    parser.add_argument("--base", action="append", default=[], metavar="NAME=IMAGE")
    arguments = parser.parse_args()
    bases = dict(base.split("=", 1) for base in arguments.base)
    if arguments.archive:
        config, found = read(arguments.archive, arguments.last)
        json.dump({"config": config, "layers": found}, sys.stdout)
        return
    if not arguments.dockerfiles:
        parser.error("a context and a Dockerfile, or --archive")

    answer = []
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        of_base = set()
        for number, name in enumerate(bases):
            only = scratch / f"base{number}.Dockerfile"
            only.write_text(f"FROM {name}\n")
            of_base |= {layer["diff_id"] for layer in measure(scratch, only, bases, scratch)}
        for dockerfile in arguments.dockerfiles:
            found = measure(arguments.context, dockerfile, bases, scratch)
            for layer in found:
                layer["base"] = layer.pop("diff_id") in of_base
            own = [layer for layer in found if not layer["base"]]
            answer.append({
                "dockerfile": dockerfile.resolve().relative_to(arguments.context.resolve()).as_posix(),
                "dockerfile_sha256": hashlib.sha256(dockerfile.read_bytes()).hexdigest(),
                "image": {"bytes": sum(layer["bytes"] for layer in found), "gzip": sum(layer["gzip"] for layer in found)},
                "above_base": {"bytes": sum(layer["bytes"] for layer in own), "gzip": sum(layer["gzip"] for layer in own)},
                "layers": found,
            })
    json.dump(answer, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
