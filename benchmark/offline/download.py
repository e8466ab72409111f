"""One file over HTTP, gone on with where it was cut off; what pooch calls to download."""

import contextlib
import html
import os
import re
from collections.abc import Callable
from pathlib import Path

import requests

from benchmark.files.content import LFS_POINTER, WEB_PAGE
from benchmark.offline.checksums import Checksums

TIMEOUT = (10, 60)  # seconds to connect; without a byte
CHUNK = 1 << 13  # bytes, of which the last ones before a cut are lost
START = 512  # bytes which tell a web page
LATER = (408, 425, 429)  # statuses beside 500 to 599 after which another try may succeed
LONGEST = 80  # characters of a page's title
TITLE = re.compile(rb"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)


class Refused(Exception):
    """What a server gives is not the file, and would not be another time; a whole sentence."""


class Resuming:
    """A downloader of pooch: what was received stays beside, and the next attempt goes on there.

    Parts whose file has no checksum are gone on with only where the server says, by its ETag, that
    the file is still the same one; of the others the checksum shows it.

    Parameters
    ----------
    session
        Keeps the connection to a server from one file to the next.
    checksums
        What the whole file has to be.
    part
        Where bytes are kept until it is whole.
    seen
        Called with the number of bytes there are.
    """

    def __init__(
        self,
        session: requests.Session,
        checksums: Checksums,
        part: Path,
        seen: Callable[[int], object],
    ):
        self.session, self.checksums, self.part, self.seen = session, checksums, part, seen
        self.tag = part.with_name(f"{part.name}.etag")

    def __call__(self, url: str, output_file: str, pooch: object, check_only: bool = False) -> None:
        """Download a file, as pooch asks for it.

        Raises
        ------
        Refused
            If the server has another file, a web page, or none.
        requests.RequestException
            If it cannot be reached, or the connection was cut; another attempt goes on.
        OSError
            If the file cannot be written.
        """
        begun = self._begun()
        if begun != self.checksums.size or not begun:
            self._receive(url, begun)
        if problem := self.checksums.problem(self.part):
            self._drop()
            if not begun:
                raise Refused(f"{url} is not the file that was published: {problem}")
            self._receive(url, 0)  # the part was of another file, or damaged
            if problem := self.checksums.problem(self.part):
                self._drop()
                raise Refused(f"{url} is not the file that was published: {problem}")
        os.replace(self.part, output_file)
        self.tag.unlink(missing_ok=True)

    def _begun(self) -> int:
        """How many bytes can be gone on with."""
        begun = self.part.stat().st_size if self.part.is_file() else 0
        too_long = self.checksums.size is not None and begun > self.checksums.size
        if too_long or not (self.checksums.whole or self._strong_tag()):
            self._drop()
            return 0
        return begun

    def _receive(self, url: str, begun: int) -> None:
        headers = {"Accept-Encoding": "identity"}  # or the length would be of what is compressed
        if begun:
            headers["Range"] = f"bytes={begun}-"
            if tag := self._strong_tag():
                headers["If-Range"] = tag
        with self._opened(url, headers) as response:
            if response.status_code == requests.codes.requested_range_not_satisfiable and begun:
                self._drop()
                return self._receive(url, 0)
            self._check_status(url, response)
            resumed = response.status_code == requests.codes.partial_content
            if resumed and not response.headers.get("Content-Range", "").startswith(
                f"bytes {begun}-"
            ):
                self._drop()
                raise requests.ConnectionError(f"{url} went on elsewhere than it was asked to")
            begun = begun if resumed else 0
            length = response.headers.get("Content-Length", "")
            total = begun + int(length) if length.isdecimal() else None
            if self.checksums.size and total not in (None, self.checksums.size):
                raise Refused(
                    f"{url} is not the file that was published: it has {total} bytes there, not "
                    f"{self.checksums.size}"
                )
            self._write(url, response, begun, total or self.checksums.size)

    def _opened(self, url: str, headers: dict[str, str]) -> requests.Response:
        try:
            return self.session.get(url, headers=headers, stream=True, timeout=TIMEOUT)
        except requests.RequestException as error:  # its text has the innards of three libraries
            reason = str(error.args[0] if error.args else error).rpartition(": ")[2].rstrip(")'\"")
            raise requests.ConnectionError(f"{url} cannot be reached ({reason})") from error

    def _write(self, url: str, response: requests.Response, begun: int, total: int | None) -> None:
        self.part.parent.mkdir(parents=True, exist_ok=True)
        if not begun:
            self.tag.write_text(response.headers.get("ETag", ""), encoding="utf-8")
        received, whole = begun, False
        with (
            self.part.open("ab" if begun else "wb") as file,
            contextlib.suppress(requests.RequestException),  # it was cut off: said below
        ):
            for chunk in response.iter_content(CHUNK):
                if received == 0:
                    _check_start(url, response, chunk)
                file.write(chunk)
                received += len(chunk)
                self.seen(received)
                if self.checksums.size and received > self.checksums.size:
                    raise Refused(f"{url} goes on after {self.checksums.size} bytes")
            whole = True
        if not whole or (total and received < total):
            of = f" of {total}" if total else ""
            raise requests.ConnectionError(f"{url} was cut off after {received}{of} bytes")

    def _strong_tag(self) -> str:
        """The ETag of the part's file if it stands for its bytes; empty if there is none."""
        with contextlib.suppress(FileNotFoundError):
            tag = self.tag.read_text(encoding="utf-8")
            return "" if tag.startswith("W/") else tag
        return ""

    def _check_status(self, url: str, response: requests.Response) -> None:
        status = f"{response.status_code} {response.reason}"
        if response.status_code in LATER or response.status_code >= 500:
            raise requests.HTTPError(f"{url} answers {status}", response=response)
        if response.status_code >= 400:
            raise Refused(f"{url} answers {status}")

    def _drop(self) -> None:
        self.part.unlink(missing_ok=True)
        self.tag.unlink(missing_ok=True)


def _check_start(url: str, response: requests.Response, start: bytes) -> None:
    """Refuse a web page, as proxies, logins and drives give it, and a pointer of Git LFS."""
    if "html" in response.headers.get("Content-Type", "") or WEB_PAGE.match(start[:START]):
        found = TITLE.search(start)
        title = html.unescape(found[1].decode("utf-8", "replace")).strip() if found else ""
        says = f" ('{' '.join(title.split())[:LONGEST]}')" if title else ""
        raise Refused(f"{url} gives a web page{says}, not the file; open it in a browser")
    if start.startswith(LFS_POINTER):
        raise Refused(f"{url} gives a pointer of Git LFS, not the file")
