"""Writes site.json: what the server of the tests answers, path by path. The same bytes at every run.

A route has a `status` (200), `headers`, and a body: `text`, or `base64`. `{base}` in a text stands for the address of the server.
"""

import base64
import gzip
import hashlib
import io
import json
import pathlib
import tarfile
import zipfile


def wheel(name, version, files, requires=()):
    """A wheel with its metadata last, as the standard wants it."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {one}\n" for one in requires)
    files = {**files, f"{info}/WHEEL": "Wheel-Version: 1.0\n", f"{info}/METADATA": metadata + "\nA package of a test.\n"}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(zipfile.ZipInfo(path), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def tarball(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(f"package/{path}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content.encode()))
    return gzip.compress(out.getvalue(), mtime=0)


def raw(content, **more):
    return {"base64": base64.b64encode(content).decode(), **more}


def text(value, **more):
    return {"text": value if isinstance(value, str) else json.dumps(value), **more}


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def python(site):
    packages = {
        ("demo-app", "demo_app-1.0-py3-none-any.whl"): wheel(
            "demo_app",
            "1.0",
            {"demo_app/__init__.py": "x = 1\n" * 4000, "demo_app/tests/test_x.py": "assert 1\n" * 500, "demo_app/static/app.css": "a{}\n" * 2000},
            ["demo-lib (<2,>=1)", "demo-extra ; extra == 'fast'", "demo-windows ; sys_platform == 'win32'"],
        ),
        ("demo-lib", "demo_lib-1.5-cp312-cp312-manylinux_2_17_x86_64.whl"): wheel(
            "demo_lib", "1.5", {"demo_lib/__init__.py": "import _c\n" * 1000, "demo_lib/_c.cpython-312-x86_64-linux-gnu.so": "\0\1\2" * 100_000}
        ),
        ("demo-lib", "demo_lib-2.0-py3-none-any.whl"): wheel("demo_lib", "2.0", {"demo_lib/__init__.py": "y = 2\n" * 9000}),
        ("demo-extra", "demo_extra-3.1-py3-none-any.whl"): wheel("demo_extra", "3.1", {"demo_extra.py": "z = 3\n" * 1234}),
    }
    for (name, file), content in packages.items():
        site[f"/files/{file}"] = raw(content, ranges=True)
        page = site.setdefault(f"/simple/{name}/", {"files": []})
        page["files"].append(
            {
                "filename": file,
                "url": f"../../files/{file}",
                "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
                "size": len(content),
                "upload-time": "2026-01-02T03:04:05.000000Z",
                "yanked": False,
            }
        )
    for path, page in site.items():
        if path.startswith("/simple/"):
            site[path] = text({"meta": {"api-version": "1.1"}, "name": path.split("/")[2], **page}, headers={"content-type": "application/vnd.pypi.simple.v1+json"})


def npm(site):
    tiny = tarball({"package.json": '{"name": "demo-tiny", "version": "1.2.3"}', "index.js": "module.exports = 1\n" * 3000})
    site["/npm/demo-tiny/1.2.3"] = text({"error": "not found"}, status=404)
    site["/npm/demo-tiny"] = text(
        {
            "name": "demo-tiny",
            "dist-tags": {"latest": "1.2.3"},
            "versions": {"1.2.3": {"dist": {"tarball": "{base}/npm/demo-tiny/-/demo-tiny-1.2.3.tgz", "integrity": "sha512-x"}, "dependencies": {"@demo/sized": "^1.0.0"}}},
        }
    )
    site["/npm/demo-tiny/-/demo-tiny-1.2.3.tgz"] = raw(tiny)
    site["/npm/@demo%2fsized/1.0.0"] = text(
        {"name": "@demo/sized", "version": "1.0.0", "dist": {"tarball": "{base}/nowhere.tgz", "unpackedSize": 123_456, "fileCount": 7, "integrity": "sha512-y"}}
    )


def image(site):
    layers = []
    for number, size in enumerate((30_720, 10_240)):
        # No zeros: what a layer is said to be larger than its blob is believed up to a limit.
        blob = gzip.compress(hashlib.shake_256(bytes([number])).digest(size), mtime=0)
        site[f"/v2/team/base/blobs/{digest(blob)}"] = raw(blob, ranges=True, token=True)
        layers.append({"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest(blob), "size": len(blob)})
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "created": "2026-05-06T07:08:09Z",
            "config": {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "PYTHON_VERSION=3.12.4", "NODE_VERSION=20.1.0"], "WorkingDir": "/srv", "User": "app", "Cmd": ["sh"]},
            "rootfs": {"type": "layers", "diff_ids": []},
        }
    ).encode()
    site[f"/v2/team/base/blobs/{digest(config)}"] = raw(config, token=True)
    manifest = json.dumps({"schemaVersion": 2, "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest(config), "size": len(config)}, "layers": layers}).encode()
    site[f"/v2/team/base/manifests/{digest(manifest)}"] = raw(manifest, token=True)
    index = {
        "schemaVersion": 2,
        "manifests": [
            {"digest": "sha256:" + "0" * 64, "size": 1, "platform": {"os": "unknown", "architecture": "unknown"}},
            {"digest": "sha256:" + "1" * 64, "size": 1, "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
            {"digest": digest(manifest), "size": len(manifest), "platform": {"os": "linux", "architecture": "amd64"}},
        ],
    }
    site["/v2/team/base/manifests/1"] = text(index, token=True)
    site["/token?service=registry.test&scope=repository:team/base:pull"] = text({"token": "open-sesame"})


def main():
    site = {}
    python(site)
    npm(site)
    image(site)
    path = pathlib.Path(__file__).with_name("site.json")
    path.write_text(json.dumps(site, indent=1) + "\n")


main()
