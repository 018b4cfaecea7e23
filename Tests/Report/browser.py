"""Chromium without a window, asked over the pipe of its DevTools."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",  # which needs what containers forbid
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--hide-scrollbars",
    "about:blank",
)
SECONDS = 60


class Browser:
    """One page after the other in one process."""

    def __init__(self, process: subprocess.Popen[bytes], reads: int, writes: int) -> None:
        self._process, self._reads, self._writes = process, reads, writes
        self._waiting = b""
        self._count = 0
        #: What the page said or asked for since it was opened.
        self.events: list[dict[str, Any]] = []
        target = self._send("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._session = self._send("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command to the page, and its answer."""
        return self._send(method, parameters, self._session)

    def open(self, path: Path, width: int = 1280, height: int = 900, scheme: str = "light") -> None:
        """A file, as it is on a screen of this size."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events.clear()
        self.ask("Page.navigate", url=path.resolve().as_uri())
        end = time.monotonic() + SECONDS
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self._receive(end)

    def evaluate(self, expression: str) -> Any:
        """What an expression is, in the page."""
        found = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def picture(self) -> bytes:
        """The whole page as PNG."""
        found = self.ask("Page.captureScreenshot", captureBeyondViewport=True, format="png")
        return base64.b64decode(found["data"])

    def print(self) -> bytes:
        """The page on paper, as PDF."""
        return base64.b64decode(self.ask("Page.printToPDF", printBackground=True)["data"])

    def complaints(self) -> list[str]:
        """What is on the console."""
        kinds = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
        return [json.dumps(event["params"]) for event in self.events if event["method"] in kinds]

    def requests(self) -> list[str]:
        """What the page asked for, itself among it."""
        return [
            event["params"]["request"]["url"] for event in self.events if event["method"] == "Network.requestWillBeSent"
        ]

    def key(self, name: str) -> None:
        """Presses a key, such as "Tab"."""
        code = {"Tab": 9, "Enter": 13}[name]
        text = {"text": "\r"} if name == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code, **text)

    def _send(self, method: str, parameters: dict[str, Any], session: str | None = None) -> dict[str, Any]:
        self._count += 1
        number = self._count
        message = {"id": number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        os.write(self._writes, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + SECONDS
        while True:
            answer = self._receive(end)
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])

    def _receive(self, end: float) -> dict[str, Any]:
        while b"\0" not in self._waiting:
            ready, _, _ = select.select([self._reads], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"chromium said nothing for {SECONDS} seconds"
            part = os.read(self._reads, 1 << 20)
            assert part, f"chromium ended with {self._process.wait()}"
            self._waiting += part
        message, _, self._waiting = self._waiting.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        if "method" in found:
            self.events.append(found)
        return found


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """A browser for some pages. Without one this is an error, and nothing is skipped."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    assert program is not None, f"expected one of {', '.join(NAMES)} on the path: run make browser"
    (page_reads, writes), (reads, page_writes) = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory() as profile:
        # The pipe of DevTools is file descriptors 3 and 4.
        command = f'exec "$0" "$@" 3<&{page_reads} 4>&{page_writes}'
        process = subprocess.Popen(
            ["bash", "-c", command, program, f"--user-data-dir={profile}", *FLAGS],
            pass_fds=(page_reads, page_writes),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(page_reads), os.close(page_writes)
        try:
            yield Browser(process, reads, writes)
        finally:
            process.terminate()
            process.wait(SECONDS)
            os.close(reads), os.close(writes)
