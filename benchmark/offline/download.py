"""One file over HTTP, gone on with where it was cut off; what pooch calls to download."""

import contextlib
import html
import itertools
import os
import re
from collections.abc import Callable
from pathlib import Path

import requests
from requests.exceptions import ProxyError

from benchmark.files.content import LFS_POINTER, WEB_PAGE
from benchmark.offline.checksums import Checksums

TIMEOUT = (10, 60)  # seconds to connect; without a byte
CHUNK = 1 << 13  # bytes, of which the last ones before a cut are lost
START = 512  # bytes which tell a web page
PARTIAL, UNSATISFIABLE = 206, 416
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
        if not begun or begun != self.checksums.size:
            self._receive(url, begun)
        problem = self.checksums.problem(self.part)
        if problem and begun:  # the part was of another file, or damaged
            self._drop()
            self._receive(url, 0)
            problem = self.checksums.problem(self.part)
        if problem:
            self._drop()
            raise Refused(f"{url} is not {self.checksums.expected}: {problem}")
        os.replace(self.part, output_file)
        self.tag.unlink(missing_ok=True)

    @property
    def goes_on(self) -> bool:
        """Whether another attempt needs not receive again what has been received."""
        kept = self.part.is_file() and self.part.stat().st_size > 0
        return kept and bool(self.checksums.whole or self._strong_tag())

    def _begun(self) -> int:
        """How many bytes can be gone on with."""
        begun = self.part.stat().st_size if self.part.is_file() else 0
        too_long = self.checksums.size is not None and begun > self.checksums.size
        if too_long or not (self.checksums.whole or self._strong_tag()):
            self._drop()
            return 0
        return begun

    def _receive(self, url: str, begun: int) -> None:
        headers = {"Accept-Encoding": "identity"}  # or ranges would be of what is compressed
        if begun:
            headers["Range"] = f"bytes={begun}-"
            if tag := self._strong_tag():
                headers["If-Range"] = tag
        with self._opened(url, headers) as response:
            status = response.status_code
            resumed = begun and status == PARTIAL and self._goes_on(response, begun)
            if begun and not resumed and status in (PARTIAL, UNSATISFIABLE):
                self._drop()
                return self._receive(url, 0)
            if status != requests.codes.ok and not resumed:
                passing = status in LATER or status >= 500
                kind = requests.HTTPError if passing else Refused
                raise kind(f"{url} answers {status} {response.reason}")
            self._write(url, response, begun if resumed else 0)

    def _goes_on(self, response: requests.Response, begun: int) -> bool:
        """Whether an answer with a part of a file is what was asked for, of the same file."""
        place, tag = (response.headers.get(name, "") for name in ("Content-Range", "ETag"))
        same = self.checksums.whole or tag == self._strong_tag()
        return same and place.startswith(f"bytes {begun}-") and not _encoded(response)

    def _opened(self, url: str, headers: dict[str, str]) -> requests.Response:
        try:
            return self.session.get(url, headers=headers, stream=True, timeout=TIMEOUT)
        except (requests.TooManyRedirects, ValueError) as error:
            raise Refused(f"{url} leads nowhere ({str(error).rstrip('.')})") from error
        except requests.RequestException as error:
            place = error.request.url if error.request else url  # where it was led to
            way = " through the proxy that is set" if isinstance(error, ProxyError) else ""
            raise requests.ConnectionError(
                f"{str(place).partition('?')[0]} cannot be reached{way} ({_cause(error)})"
            ) from error

    def _write(self, url: str, response: requests.Response, begun: int) -> None:
        length = self._length(url, response)
        announced = None if length is None else begun + length
        received, whole = begun, False
        with contextlib.suppress(requests.RequestException):  # it was cut off: said below
            chunks = response.iter_content(CHUNK)
            first = next(chunks, b"")
            if not begun:
                _check_start(url, response, first)
            if self.checksums.size and announced not in (None, self.checksums.size):
                raise Refused(
                    f"{url} is not {self.checksums.expected}: it has {announced} bytes there, "
                    f"not {self.checksums.size}"
                )
            self.part.parent.mkdir(parents=True, exist_ok=True)
            with self.part.open("ab" if begun else "wb") as file:
                if not begun:  # the tag of what is in the part, never of what was there before
                    self.tag.write_text(response.headers.get("ETag", ""), encoding="utf-8")
                for chunk in itertools.chain([first], chunks):
                    file.write(chunk)
                    received += len(chunk)
                    self.seen(received)
                    if self.checksums.size and received > self.checksums.size:
                        raise Refused(f"{url} goes on after {self.checksums.size} bytes")
            whole = True
        total = announced or self.checksums.size
        if not whole or (total and received < total):
            of = f" of {total}" if total else ""
            raise requests.ConnectionError(f"{url} was cut off after {received}{of} bytes")

    def _length(self, url: str, response: requests.Response) -> int | None:
        """How many bytes are to come, where that is said."""
        length = response.headers.get("Content-Length", "")
        chunked = "chunked" in response.headers.get("Transfer-Encoding", "").lower()
        if self.checksums == Checksums() and not (length.isdecimal() or chunked):
            raise Refused(
                f"{url} does not say how long the file is, and no checksum is published: whether "
                f"all of it arrives cannot be known"
            )
        return int(length) if length.isdecimal() and not _encoded(response) else None

    def _strong_tag(self) -> str:
        """The ETag of the part's file if it stands for its bytes; empty if there is none."""
        with contextlib.suppress(FileNotFoundError):
            tag = self.tag.read_text(encoding="utf-8")
            return "" if tag.startswith("W/") else tag
        return ""

    def _drop(self) -> None:
        self.part.unlink(missing_ok=True)
        self.tag.unlink(missing_ok=True)


def _encoded(response: requests.Response) -> bool:
    """Whether what is sent is compressed, asked or not: then lengths are not the file's."""
    return "Content-Encoding" in response.headers


def _cause(error: BaseException) -> str:
    """What was first of an error, in words; around it stand the innards of three libraries."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return getattr(error, "strerror", None) or str(error).strip()


def _check_start(url: str, response: requests.Response, start: bytes) -> None:
    """Refuse a web page, as proxies, logins and drives give it, a pointer of Git LFS, nothing."""
    if "html" in response.headers.get("Content-Type", "") or WEB_PAGE.match(start[:START]):
        found = TITLE.search(start)
        title = html.unescape(found[1].decode("utf-8", "replace")).strip() if found else ""
        says = f" ('{' '.join(title.split())[:LONGEST]}')" if title else ""
        raise Refused(f"{url} gives a web page{says}, not the file; open it in a browser")
    if start.startswith(LFS_POINTER):
        raise Refused(f"{url} gives a pointer of Git LFS, not the file")
    if not start:
        raise Refused(f"{url} gives an empty file")
