"""A headless Chromium that opens a viewer's page from a file, with every connection refused."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--no-first-run",
    "--use-angle=swiftshader", "--enable-unsafe-swiftshader",  # WebGL2 without a graphics card
    "--disable-background-networking", "--disable-component-update", "--disable-extensions",
    "--proxy-server=127.0.0.1:9", "--window-size=560,440",
)  # fmt: skip
PATIENCE = 60.0  # seconds


class Browser:
    """One page, driven by the DevTools protocol over a pipe."""

    def __init__(self, profile: Path) -> None:
        assert BROWSER is not None
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        shell = f'exec "$0" "$@" 3<&{to_read} 4>&{to_write}'
        self._process = subprocess.Popen(
            ["bash", "-c", shell, BROWSER, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(to_read, to_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        self._rest, self._count, self._session = b"", 0, ""
        self.events: list[dict[str, Any]] = []
        found = self.call("Target.getTargets")["targetInfos"]
        page = next(target for target in found if target["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """A command of the protocol, and its answer; what else arrives is kept in `events`."""
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": params}
        if self._session and not method.startswith(("Target.", "Browser.")):
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._count:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._read], [], [], PATIENCE)
            assert ready, "the browser says nothing"
            piece = os.read(self._read, 1 << 20)
            assert piece, "the browser has ended"
            self._rest += piece
        message, self._rest = self._rest.split(b"\0", 1)
        answer: dict[str, Any] = json.loads(message)
        return answer

    def run(self, script: str) -> Any:
        """The value of a script's last line, which may wait; `v` is the viewer."""
        *before, last = [line.strip() for line in script.strip().splitlines()]
        body = "\n".join([*before, f"return {last}"])
        viewer = "const v = document.getElementById('leuko-viewer')?.leuko;"
        answer = self.call(
            "Runtime.evaluate",
            expression=f"(async () => {{ {viewer}\n{body} }})()",
            awaitPromise=True,
            returnByValue=True,
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def open(self, page: Path) -> None:
        """Load a page and wait until its viewer is ready."""
        self.run("v && (v.drawing.changed = false)")  # or the page asks whether to leave it
        self.events.clear()
        self.call("Page.navigate", url=page.resolve().as_uri())
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.run("v && (v.ready ? 'ready' : v.failed)") == "ready":
                return
            failed = self.run("v && v.failed")
            assert not failed, failed
            time.sleep(0.05)
        raise AssertionError("the viewer did not start")

    def pixels(self) -> bytes:
        """What the view shows, as the bytes of a PNG."""
        url = self.run("v.picture().toDataURL()")
        return base64.b64decode(url.partition(",")[2])

    def mouse(self, kind: str, x: float, y: float, *, button: str = "left") -> None:
        """A mouse event at a place of the window."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, clickCount=1)

    def press(self, key: str, *, modifiers: int = 0) -> None:
        """A key, pressed and let go."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, modifiers=modifiers)

    def problems(self) -> list[str]:
        """Errors, whatever was written to the console, and every request but that for the page."""
        self.run("0")  # what is on its way arrives
        found = []
        for event in self.events:
            method, params = event.get("method", ""), event.get("params", {})
            if method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
                found.append(json.dumps(params)[:500])
            if method == "Network.requestWillBeSent":
                url = params["request"]["url"]
                page = params["type"] == "Document" and url.startswith("file:")
                if not page and not url.startswith(("data:", "blob:")):
                    found.append(url[:200])
        return found

    def close(self) -> None:
        """End the browser."""
        try:
            self.call("Browser.close")
        except (AssertionError, OSError):
            self._process.kill()
        self._process.wait(PATIENCE)
        os.close(self._read)
        os.close(self._write)


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A browser with a fresh profile in `folder`."""
    driven = Browser(folder / "profile")
    try:
        yield driven
    finally:
        driven.close()
