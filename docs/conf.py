"""The site of these pages: ``sphinx-build -c docs . docs/_build``, run in the repository.

The source folder is the repository, so that a link leads from a file to the same file here as on
GitHub and on the disk. Nothing is listed twice: the README of a folder is the contents of it, and
what is registered is read from the registries.
"""

import os
import re
import shutil
import sys
from functools import partial
from pathlib import Path, PurePosixPath
from pydoc import locate

from docutils import nodes
from sphinx.util.nodes import make_refnode

from benchmark import __version__
from benchmark.cells.provenance import OUR_PACKAGES
from benchmark.cli.command import all_commands
from benchmark.cli.help import defaults_of
from benchmark.cli.registered.entries import entry_of
from benchmark.datasets import DATASETS
from benchmark.denoiser import DENOISERS
from benchmark.metrics import METRICS
from benchmark.noise import NOISE_MODELS
from benchmark.registry import Registry, load_plugins

load_plugins()

project = "noisebench"
author = "The noisebench authors"
copyright = author
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
root_doc = "README"
FOLDERS = ["docs/README", "docs/reference/README", "docs/api/README", "results/README"]
TOP = [*FOLDERS, "CONTRIBUTING", "CHANGELOG"]
include_patterns = ["*.md", "docs/**.md", "results/**.md"]
exclude_patterns = [".*", "docs/_build", "results/local"]
source_suffix = {".md": "markdown"}
myst_heading_anchors = 4

autodoc_default_options = {"members": True, "special-members": "__call__"}
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
autosummary_generate = False  # a page a package
numpydoc_show_class_members = False  # automodule shows them
# parameters that there are not, or in another order; sections of another name, or out of order
numpydoc_validation_checks = {"PR02", "PR03", "GL06", "GL07"}
smartquotes = False  # 'kair(border=2)' is copied into a shell
default_role = "py:obj"  # `Key` is a link where there is such a thing, and else its text
nitpicky = True
nitpick_ignore = [  # in files by whose hash stored scores are known: not to be mended alone
    ("py:obj", "Isp"),  # the class ISP, in scunet.py
    ("py:obj", "masked"),  # the protocol, in pixelwise.py
]

html_theme = "pydata_sphinx_theme"
html_title = project
html_copy_source = False
html_theme_options = {"header_links_before_dropdown": len(TOP), "navbar_align": "left"}
html_static_path = ["_static"]
html_css_files = ["site.css"]

LINK = re.compile(r"\[([^]\n]*)\]\(([\w/.-]+)\)")  # to a file or a folder
ALONE = "   :no-members:\n   :no-special-members:\n   :no-index:"  # a class's own words


def plain(text: str) -> str:
    """A text as Markdown which shows it as it stands."""
    return re.sub(r"[\\`*_{}\[\]<>|#]", r"\\\g<0>", text)


def commands() -> str:
    """Of every command its help: examples and words as they are, the settings as a table."""
    parts = []
    for name, command in all_commands().items():
        parts.append(f"## bench {name}\n")
        for text in command.help.split("\n\n"):
            is_example = text.startswith("bench ")
            parts.append(f"```text\n{text}\n```\n" if is_example else f"{plain(text)}\n")
        parts += ["| setting and default | meaning |", "| --- | --- |"]
        parts += [f"| `{typed}` | {plain(meaning)} |" for typed, meaning in defaults_of(command)]
        parts.append("")
    return "\n".join(parts)


def registered(group: str, registry: Registry) -> str:
    """What each class says of itself, with its settings, under the name that is typed."""
    parts = []
    for name, cls in sorted(registry.items()):
        details = "\n".join(f"- {plain(detail)}" for detail in entry_of(group, cls).details)
        described = f".. autoclass:: {cls.__module__}.{cls.__qualname__}\n{ALONE}"
        parts.append(f"## {name}\n\n{details}\n\n```{{eval-rst}}\n{described}\n```\n")
    return "\n".join(parts)


FILLED = {  # by the word in the comment of a page which it stands in place of
    "commands": commands,
    "noises": partial(registered, "noise", NOISE_MODELS),
    "denoisers": partial(registered, "model", DENOISERS),
    "datasets": partial(registered, "data", DATASETS),
    "metrics": partial(registered, "metric", METRICS),
}


def fill(app, page, source):
    """Write what the code knows in place of ``<!-- filled: noises -->``."""
    source[0] = re.sub("<!-- filled: (\\w+) -->", lambda found: FILLED[found[1]](), source[0])


def folder_of(page: str, readmes: set[str]) -> str | None:
    """The page which has this one in its contents: of the README files above it the nearest."""
    if page == root_doc:
        return None
    if page in TOP:
        return root_doc
    above = (str(folder / "README") for folder in PurePosixPath(page).parents)
    return next(readme for readme in above if readme in readmes and readme != page)


def to_readme(folder: Path, link: re.Match) -> str:
    """A link to a folder leads to its README, and is its text where there is none."""
    text, target = link.groups()
    if not (folder / target).is_dir():
        return link[0]
    return f"[{text}]({target}/README.md)" if (folder / target / "README.md").exists() else text


def add_contents(app, page, source):
    """Give the README of a folder its pages as contents: those which it links to come first."""
    source[0] = LINK.sub(partial(to_readme, Path(app.srcdir, page).parent), source[0])
    pages = app.env.found_docs
    readmes = {name for name in pages if PurePosixPath(name).name == "README"}
    if page not in readmes:
        return
    own = [name for name in pages if folder_of(name, readmes) == page]
    here = os.path.dirname(page)
    linked = [
        os.path.normpath(os.path.join(here, target))
        for target in re.findall(r"\]\(([^)#]+)\.md", source[0])
    ]
    order = TOP + linked
    own.sort(key=lambda name: (order.index(name) if name in order else len(order), name))
    if own:
        entries = "\n".join(f"/{name}" for name in own)
        source[0] += f"\n\n```{{toctree}}\n:hidden:\n{entries}\n```\n"


def resolve(app, env, node, shown):
    """A link to the one page of a name that others import, the text of what exists without a page.

    What is neither is reported: a docstring names something that there is not.
    """
    if node["refdomain"] != "py":
        return None
    target, domain = node["reftarget"], env.domains.python_domain
    found = domain.find_obj(env, None, None, target, None, searchmode=1)
    if len(found) == 1:
        ((name, entry),) = found
        return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, shown, name)
    if node["reftype"] != "obj":  # in an annotation, which the type checker knows
        return shown
    loaded = [name for name in sys.modules if name.partition(".")[0] in OUR_PACKAGES]
    here = f"{node.get('py:module')}.{node.get('py:class')}"
    names = [target, *(f"{place}.{target}" for place in (here, *loaded))]
    return shown if any(locate(name) is not None for name in names) else None


def shorten(app, document):
    """Citations are unique on a page, as [Rff6e22cbf2cd-1]; people read [1]."""
    for text in list(document.findall(nodes.Text)):
        if number := re.fullmatch(r"\[R\w{12}-(\d+)\]", text):
            text.parent.replace(text, nodes.Text(f"[{number[1]}]"))


def add_index(app, error):
    """Servers and people look for index.html."""
    if not error and app.builder.format == "html":
        shutil.copy(Path(app.outdir, f"{root_doc}.html"), Path(app.outdir, "index.html"))


def setup(app):
    app.connect("source-read", add_contents)
    app.connect("source-read", fill)
    app.connect("doctree-read", shorten)
    app.connect("missing-reference", resolve)
    app.connect("build-finished", add_index)
