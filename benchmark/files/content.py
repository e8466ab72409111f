"""What a download may be instead of the file: a web page, or a pointer of Git LFS."""

import re

WEB_PAGE = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype\s+html|html)", re.IGNORECASE)
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
