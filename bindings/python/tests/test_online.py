"""What is asked of indexes and registries: the server of `tests/online`, on this machine."""

import base64
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from stagewright import BuildFiles, Context, Dockerfile, Online, StagewrightError

ONLINE = Path(__file__).parents[3] / "tests" / "online"
SITE = json.loads((ONLINE / "site.json").read_text())


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        base = f"http://127.0.0.1:{self.server.server_port}"
        self.server.asked.append(self.path)
        route = self.server.site.get(self.path, {"status": 404, "text": ""})
        if "hang" in route:
            self.server.over.wait()
            return
        body = base64.b64decode(route["base64"]) if "base64" in route else route["text"].replace("{base}", base).encode()
        status, headers, whole = route.get("status", 200), dict(route.get("headers", {})), len(body)
        if route.get("token") and self.headers["Authorization"] != "Bearer open-sesame":
            status, body = 401, b""
            realm = f'realm="{base}/token",service="registry.test",scope="repository:team/base:pull"'
            headers["WWW-Authenticate"] = f"Bearer {realm}"
        elif route.get("ranges") and (asked := self.headers["Range"]):
            first, last = asked.removeprefix("bytes=").split("-")
            start = int(first) if first else max(0, whole - int(last))
            end = min(whole, int(last) + 1) if first else whole
            status, body = 206, body[start:end]
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{whole}"
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value.replace("{base}", base))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def serve():
    servers = []

    def start(site):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.site, server.asked, server.over = site, [], threading.Event()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.over.set()
        server.shutdown()


def asking(server, **more):
    base = f"http://127.0.0.1:{server.server_port}"
    mirrors = {"registry.test": f"127.0.0.1:{server.server_port}"}
    return Online(index=f"{base}/simple", npm_registry=f"{base}/npm/", mirrors=mirrors, **{"retries": 1, "timeout": 20, **more})


def analyze(online):
    files = BuildFiles.open(ONLINE / "project")
    return files.dockerfile.analyze(context=files.context, online=online)


def said(analysis, server):
    """The answer, whatever the port of the server is."""
    return analysis.to_json().replace(f"127.0.0.1:{server.server_port}", "HOST")


def test_the_same_answer_in_all_languages(serve, tmp_path):
    server, told = serve(SITE), []
    online = asking(server, cache=tmp_path / "cache", progress=lambda *progress: told.append(progress))
    analysis = analyze(online)
    assert said(analysis, server) == (ONLINE / "expected.json").read_text()
    done, total, what = told[-1]
    assert done == total and what
    before = len(server.asked)
    assert analyze(online).to_json() == analysis.to_json()
    assert server.asked[before:] == ["/simple/demo-missing/"]
    assert {path.suffix for path in (tmp_path / "cache").iterdir()} == {".json"}


@pytest.mark.parametrize(
    ("route", "code"),
    [
        ({"text": "hello"}, "online-nonsense"),
        ({"hang": True}, "online-timeout"),
        ({"text": "", "status": 302, "headers": {"Location": "/simple/demo/"}}, "online-redirects"),
    ],
)
def test_what_makes_no_sense_is_a_finding(serve, route, code):
    server = serve({"/simple/demo/": route})
    file = Dockerfile.parse("FROM scratch\nRUN pip install demo\n")
    analysis = file.analyze(context=Context.files({}), online=asking(server, timeout=0.5))
    assert [finding.code for finding in analysis.findings if finding.code.startswith("online-")] == [code]


def test_what_the_callback_raises_stops_nothing(serve, monkeypatch):
    def fails(*_):
        raise ValueError

    raised = []
    monkeypatch.setattr(sys, "unraisablehook", lambda raising: raised.append(raising.exc_type))
    server = serve(SITE)
    assert said(analyze(asking(server, progress=fails)), server) == (ONLINE / "expected.json").read_text()
    assert set(raised) == {ValueError}


def test_a_cache_that_cannot_be_is_an_error(serve, tmp_path):
    (tmp_path / "file").write_text("here")
    with pytest.raises(StagewrightError) as error:
        analyze(asking(serve(SITE), cache=tmp_path / "file" / "below"))
    assert error.value.code == "online-cache-unwritable"


def test_what_a_host_pulls():
    context = Context.files({"a.txt": "a", "b.txt": "b" * 100})
    file = Dockerfile.parse("FROM debian:bookworm-slim\nCOPY a.txt /\nCOPY b.txt /\n")
    analysis = file.analyze(context=context)
    other = Dockerfile.parse("FROM debian:bookworm-slim\nCOPY a.txt /\n").analyze(context=context)
    words = lambda pull: [layer.there for layer in pull.layers]
    cold = analysis.pull()
    assert words(cold) == ["nothing", "nothing", "nothing"] and cold.gzip.expected > 20_000_000
    assert words(analysis.pull(images=["debian:bookworm-slim"])) == ["all", "nothing", "nothing"]
    assert words(analysis.pull(builds=[other])) == ["all", "all", "nothing"]
    warm = analysis.pull(files=["b.txt"])
    assert words(warm) == ["all", "all", "nothing"] and warm.gzip == analysis.after(files=["b.txt"]).warm_pull
