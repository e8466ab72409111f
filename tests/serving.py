"""A server on this machine with the faults that servers have."""

import gzip
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTENT = bytes(range(256)) * 1200  # 307,200 bytes, more than a chunk


@dataclass
class Page:
    """What one address gives, and how.

    Parameters
    ----------
    cuts
        After how many bytes of its body each answer is cut off, in order; later ones are whole.
    announced
        The length that is announced, where it is not the true one; None announces none.
    """

    content: bytes = CONTENT
    kind: str = "application/octet-stream"
    status: list[int] = field(default_factory=list)  # of the first answers; later ones are 200
    cuts: list[int] = field(default_factory=list)
    announced: int | None = -1
    ranges: bool = True
    etag: str = ""
    conditions: bool = True  # whether it heeds If-Range
    packed: bool = False  # sent as gzip, asked or not
    to: str = ""  # where it redirects to
    pause: float = 0.0  # seconds before each piece of 16 KiB
    asked: list[str | None] = field(default_factory=list)  # the range of each request


class Handler(BaseHTTPRequestHandler):
    server: "Server"

    def do_GET(self) -> None:
        page = self.server.pages.get(self.path)
        if page is None:
            return self.send_error(404)
        asked = self.headers["Range"]
        page.asked.append(asked)
        if page.status:
            return self.send_error(page.status.pop(0))
        if page.to:
            self.send_response(302)
            self.send_header("Location", page.to)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and page.ranges else 0
        if page.conditions and self.headers["If-Range"] not in (None, page.etag):
            start = 0
        if start and start >= len(page.content):
            return self.send_error(416)
        body = gzip.compress(page.content) if page.packed else page.content[start:]
        self.send_response(206 if start else 200)
        if start:
            whole = len(page.content)
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        self.send_header("Content-Type", page.kind)
        if page.packed:
            self.send_header("Content-Encoding", "gzip")
        if page.announced is not None:
            length = len(body) if page.announced < 0 else page.announced
            self.send_header("Content-Length", str(length))
        if page.etag:
            self.send_header("ETag", page.etag)
        self.end_headers()
        body = body[: page.cuts.pop(0)] if page.cuts else body
        for place in range(0, len(body), 1 << 14):
            if page.pause:
                threading.Event().wait(page.pause)
            self.wfile.write(body[place : place + (1 << 14)])

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


class Server(ThreadingHTTPServer):
    """Pages by path, which tests fill."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages: dict[str, Page] = {}

    def page(self, path: str, **facts) -> tuple[str, Page]:
        self.pages[path] = Page(**facts)
        return f"http://127.0.0.1:{self.server_port}{path}", self.pages[path]

    def handle_error(self, *_: object) -> None:
        """A client which went away is no error."""
