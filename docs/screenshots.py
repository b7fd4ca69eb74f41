"""Take the pictures of the Prefect UI that the documents show, in headless Chromium, from a server that has run Milkrun.

    PREFECT_API_URL=… PREFECT_API_AUTH_STRING=… python docs/screenshots.py [FOLDER]

It needs a program named chromium (or MILKRUN_CHROMIUM), and shows the newest finished run of the flow `milkrun-monthly`.
"""

import asyncio
import base64
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from prefect import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterType
from prefect.client.schemas.objects import Artifact
from prefect.client.schemas.sorting import ArtifactSort
from websockets.sync.client import connect
from websockets.sync.connection import Connection

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)


async def find_pages() -> dict[str, tuple[str, int]]:
    """Return, for each picture, the path of its page in the UI and its height."""
    async with get_client() as client:
        artifacts = await client.read_artifacts(
            artifact_filter=ArtifactFilter(type=ArtifactFilterType(any_=["markdown", "table"])),
            sort=ArtifactSort.CREATED_DESC,
        )
        newest: dict[str | None, Artifact] = {}
        for artifact in artifacts:
            newest.setdefault(artifact.key, artifact)
        deployment = await client.read_deployment_by_name("milkrun-monthly/monthly")
    forecasts = newest["milkrun-forecasts"]
    summary = next(
        each for each in artifacts if each.key == "milkrun-summary" and each.flow_run_id == forecasts.flow_run_id
    )
    return {
        "prefect-form": (f"/deployments/deployment/{deployment.id}/run", 1250),
        "prefect-deployments": ("/deployments", 620),
        "prefect-run": (f"/runs/flow-run/{forecasts.flow_run_id}", 900),
        "prefect-artifacts": (f"/runs/flow-run/{forecasts.flow_run_id}?tab=Artifacts", 900),
        "prefect-summary": (f"/artifacts/artifact/{summary.id}", 1750),
        "prefect-forecasts": (f"/artifacts/artifact/{forecasts.id}", 1000),
    }


class Page:
    """A page of the browser, spoken to in its debugging protocol."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.number = 0

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method and return its result."""
        self.number += 1
        self.connection.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self.connection.recv(timeout=60))
            if answer.get("id") == self.number:
                return dict(answer["result"])

    def show(self, url: str, height: int, seconds: float = 8.0) -> None:
        """Open an address and give it time to draw."""
        self.call("Emulation.setDeviceMetricsOverride", width=1280, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Page.navigate", url=url)
        time.sleep(seconds)

    def save(self, path: Path) -> None:
        """Write what is shown as a PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))


def main() -> None:
    """Log in as the UI does, then take one picture after the other."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images")
    folder.mkdir(parents=True, exist_ok=True)
    server = os.environ["PREFECT_API_URL"].removesuffix("/api") + "/v2"
    pages = asyncio.run(find_pages())
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        program = os.environ.get("MILKRUN_CHROMIUM", "chromium")
        command = [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with connect(_debugger(Path(profile)), max_size=None) as connection:
                page = Page(connection)
                page.call("Page.enable")
                secret = base64.b64encode(os.environ.get("PREFECT_API_AUTH_STRING", "").encode()).decode()
                page.show(server, 800)
                page.call("Runtime.evaluate", expression=f"localStorage.setItem('prefect-password', '{secret}')")
                for name, (path, height) in pages.items():
                    page.show(server + path, height)
                    page.save(folder / f"{name}.png")
                    sys.stdout.write(f"{folder / name}.png\n")
        finally:
            browser.terminate()
            browser.wait()


def _debugger(profile: Path) -> str:
    """Wait for the browser and return the address of its first page."""
    import urllib.request

    port = profile / "DevToolsActivePort"
    for _ in range(100):
        if port.exists() and port.read_text().count("\n") >= 1:
            break
        time.sleep(0.1)
    with urllib.request.urlopen(f"http://127.0.0.1:{port.read_text().split()[0]}/json/list", timeout=10) as answer:
        return str(next(each for each in json.load(answer) if each["type"] == "page")["webSocketDebuggerUrl"])


if __name__ == "__main__":
    main()
