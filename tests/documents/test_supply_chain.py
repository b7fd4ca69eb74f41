"""Tests of make sbom and make audit."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKED = re.findall(r"^([a-z0-9.-]+)==([^ ;\\]+)", (ROOT / "requirements" / "runtime.txt").read_text(), re.MULTILINE)


def make(target: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Make a target with the packages that run this test."""
    given = [f"{name}={value}" for name, value in {"BIN": str(Path(sys.executable).parent), **variables}.items()]
    command = ["make", "--no-print-directory", target, "--assume-old", ".venv/development.done", *given]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_sbom_names_every_locked_package(tmp_path: Path) -> None:
    """Name, version and hashes of each, and Milkrun itself; the same bytes every time; no network is needed."""
    files = [tmp_path / "once.json", tmp_path / "dist" / "again.json"]
    for file in files:
        done = make("sbom", SBOM=str(file))
        assert done.returncode == 0, done.stderr

    said = json.loads(files[0].read_text())
    assert files[0].read_bytes() == files[1].read_bytes()
    assert (said["bomFormat"], said["metadata"]["component"]["name"]) == ("CycloneDX", "milkrun")
    assert {(one["name"], one["version"]) for one in said["components"]} == set(LOCKED)
    assert all(one["externalReferences"][0]["hashes"] for one in said["components"])


def test_an_audit_without_a_network_says_so_and_goes_on() -> None:
    """Where nothing answers, make check does not fail, and nobody is told that all is well."""
    done = make("audit", ADVISORIES="http://127.0.0.1:9")

    assert (done.returncode, done.stdout) == (
        0, "Not audited: the advisory service http://127.0.0.1:9 does not answer.\n",
    )  # fmt: skip


BAD: set[str] = set()  # what the service here has an advisory of


class Advisories(BaseHTTPRequestHandler):
    """The advisory service's protocol (OSV), with the same advisory of whatever is bad."""

    def do_POST(self) -> None:
        """Answer a query about one package."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        found = {"id": "GHSA-0000-0000-0000", "modified": "2026-01-01T00:00:00Z", "summary": "made up", "affected": []}
        bad = asked.get("package", {}).get("name") in BAD
        body = json.dumps({"vulns": [found]} if bad else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture
def advisories() -> Iterator[ThreadingHTTPServer]:
    """Give a service of the same protocol on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Advisories) as server:
        BAD.clear()
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_an_audit_fails_for_a_known_vulnerability_only(advisories: ThreadingHTTPServer) -> None:
    """Every locked package is asked about; a clean answer passes, one advisory fails the target and is named."""
    place = f"http://127.0.0.1:{advisories.server_address[1]}"

    clean = make("audit", ADVISORIES=place)
    BAD.add("numpy")
    bad = make("audit", ADVISORIES=place)

    assert (clean.returncode, bad.returncode == 0) == (0, False), clean.stderr
    assert "numpy" in bad.stdout
    assert "GHSA-0000-0000-0000" in bad.stdout
