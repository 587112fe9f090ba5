"""`manage.py vendor_gcds`: the GC Design System as plain style sheets, for a maintainer to run.

The official components live in shadow trees, draw nothing without scripts and bring more scripts
than a page of the portal has text. Their style sheets are good: this command reads them from the
published packages, rewrites their selectors for ordinary markup, keeps the design tokens in use
and copies the fonts. What it writes to `static/gcds/` is committed; nothing of this runs at build
or run time. It needs npm on the machine, and its usual registry.
"""

import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

COMPONENTS_PACKAGE = "@gcds-core/components@1.3.1"
TOKENS_PACKAGE = "@gcds-core/tokens@1.5.0"
FONTS_PACKAGE = "@gcds-core/fonts@1.1.1"

COMPONENTS = [
    "label",
    "hint",
    "error-message",
    "error-summary",
    "input",
    "textarea",
    "select",
    "checkboxes",
    "radios",
    "button",
    "details",
    "breadcrumbs",
    "breadcrumbs-item",
]
FONT_FILES = [
    "lato/gcds-lato",
    "noto-sans/gcds-noto-sans-regular",
    "noto-sans/gcds-noto-sans-regular-italic",
    "noto-sans/gcds-noto-sans-semibold",
    "noto-sans/gcds-noto-sans-bold",
]

# From the shadow tree to ordinary markup, in this order.
REWRITES = [
    (r"::part\((hint|link|text)\)", ""),
    (r"(?<![.\w-])gcds-label>label", ".gcds-label"),
    (r"(?<![.\w-])gcds-(label|hint)(?![\w-])", r".gcds-\1"),
    (r"(?<![.\w-])gcds-error-message", ".error-message"),
    (r"(?<![.\w-])gcds-link", "a"),
    (r"\.gcds-details \.details__summary\[aria-expanded=true\]", ".gcds-details[open]>summary"),
    (r"(:host )?(\.gcds-details )?\.details__summary", ".gcds-details>summary"),
    (r":host\(\.gcds-breadcrumbs-item\)", ".gcds-breadcrumbs li"),
    (r" ::slotted\(([^()]+)\)", r">\1"),
    (r" ::slotted\((:not\([^()]+\))\)", r">\1"),
    (r":host ", ""),
]
# What has no counterpart there: the host itself, slots, other components, scripted states.
UNTRANSLATABLE = re.compile(
    r":host|::|\bslot\b|(?<![.\w-])gcds-|aria-expanded|^\.gcds-text$|\.details__panel summary"
)
HEADER = """/* GC Design System for ordinary markup, by `manage.py vendor_gcds`; do not edit.
   {packages}
   Government of Canada, MIT licence (LICENSE.txt); fonts: SIL Open Font License (fonts/). */
"""


@dataclass(frozen=True)
class Rule:
    """A piece of a style sheet: its selector or at-rule, and what is inside (None: a statement)."""

    head: str
    body: str | None

    @property
    def holds_rules(self) -> bool:
        """Whether the body is made of rules, not of declarations."""
        return self.head.startswith(("@layer", "@media", "@container", "@supports"))


def rules(css: str) -> Iterator[Rule]:
    """The outermost rules and statements of a style sheet without comments."""
    start = depth = opened = 0
    for place, letter in enumerate(css):
        if letter == "{":
            depth += 1
            opened = place if depth == 1 else opened
        elif letter == "}":
            depth -= 1
            if depth == 0:
                yield Rule(css[start:opened].strip(), css[opened + 1 : place].strip())
                start = place + 1
        elif letter == ";" and depth == 0:
            yield Rule(css[start:place].strip(), None)
            start = place + 1


def selectors(head: str) -> list[str]:
    """The selectors of a list, split at the commas outside brackets."""
    return [part.strip() for part in re.split(r",(?![^()]*\))", head)]


def ordinary(selector: str) -> str:
    """`selector` for ordinary markup, or "" where it has no meaning there."""
    for pattern, replacement in REWRITES:
        selector = re.sub(pattern, replacement, selector)
    return "" if UNTRANSLATABLE.search(selector) else selector


def rewritten(css: str) -> str:
    """A component's style sheet for ordinary markup; rules without a counterpart are left out.

    The weight `!important` was there to win against the page around the shadow tree; inside a
    layer it would win against the portal's own style sheet too, so it is taken away.
    """
    kept = []
    for rule in rules(css):
        if rule.body is None:
            if rule.head.startswith("@layer"):
                kept.append(f"{rule.head};")
            continue
        if rule.holds_rules:
            head, body = rule.head, rewritten(rule.body)
        else:
            head = ",".join(filter(None, map(ordinary, selectors(rule.head))))
            body = re.sub(r"\s+", " ", rule.body.replace("!important", ""))
        if head and body:
            kept.append(f"{head}{{{body}}}")
    return "\n".join(kept)


def without_comments(css: str) -> str:
    """`css` without comments and without the statement of its character set."""
    return re.sub(r"/\*.*?\*/|@charset [^;]+;", "", css, flags=re.DOTALL)


def used_tokens(css: str, tokens: dict[str, str]) -> dict[str, str]:
    """The tokens that `css` refers to, and those that these refer to, in order of name."""
    found: dict[str, str] = {}
    waiting = [css]
    while waiting:
        for name in re.findall(r"var\(\s*(--gcds-[\w-]+)", waiting.pop()):
            if name in tokens and name not in found:
                found[name] = tokens[name]
                waiting.append(tokens[name])
    return dict(sorted(found.items()))


def font_faces(css: str) -> Iterator[str]:
    """The faces in a package's style sheet whose files are copied, with their new addresses."""
    for rule in rules(without_comments(css)):
        name = re.search(r"([\w-]+)\.woff2", rule.body or "")
        if rule.head != "@font-face" or not name:
            continue
        if any(file.endswith(f"/{name[1]}") for file in FONT_FILES):
            source = f'src: url("fonts/{name[1]}.woff2") format("woff2")'
            body = re.sub(r"src:[^;]+", source, rule.body or "")
            yield f"@font-face{{{re.sub(r'\s+', ' ', body)} font-display: swap;}}"


def fetched(package: str, folder: Path) -> Path:
    """The folder of the unpacked `package`, fetched by npm into `folder`."""
    # The maintainer's own npm, with a package named above.
    packed = subprocess.run(  # noqa: S603
        ["npm", "pack", "--silent", package],  # noqa: S607
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    archive = folder / packed.stdout.strip().splitlines()[-1]
    target = archive.with_suffix("")
    with tarfile.open(archive) as opened:
        opened.extractall(target, filter="data")
    return target / "package"


def style_sheet(*, components: Path, tokens: Path, fonts: Path, portal_css: str) -> str:
    """The whole of `gcds.css` from the three unpacked packages."""
    layers = []
    for name in COMPONENTS:
        path = components / f"dist/collection/components/gcds-{name}/gcds-{name}.css"
        css = rewritten(without_comments(path.read_text()))
        layers.append(f"@layer {name} {{\n{css}\n}}")
    body = "\n".join(layers)
    declared = dict(
        re.findall(
            r"(--gcds-[\w-]+):\s*([^;]+);",
            without_comments((tokens / "build/web/css/tokens.css").read_text()),
        )
    )
    root = "".join(
        f"  {name}: {value};\n" for name, value in used_tokens(body + portal_css, declared).items()
    )
    faces = "\n".join(
        face
        for family in sorted({file.split("/")[0] for file in FONT_FILES})
        for face in font_faces((fonts / f"fonts/{family}/gcds-{family}.css").read_text())
    )
    header = HEADER.format(packages=", ".join([COMPONENTS_PACKAGE, TOKENS_PACKAGE, FONTS_PACKAGE]))
    return f"{header}{faces}\n@layer gcds {{\n:root {{\n{root}}}\n{body}\n}}\n"


class Command(BaseCommand):
    """Writes `static/gcds/` from the published packages of the GC Design System."""

    requires_system_checks = ()
    help = "Write static/gcds/ from the published packages of the GC Design System."

    def handle(self, *args: Any, **options: Any) -> None:
        """Fetch, rewrite and copy; what was there is replaced."""
        static = Path(settings.BASE_DIR) / "static"
        target = static / "gcds"
        (target / "fonts").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            tokens = fetched(TOKENS_PACKAGE, folder)
            fonts = fetched(FONTS_PACKAGE, folder)
            css = style_sheet(
                components=fetched(COMPONENTS_PACKAGE, folder),
                tokens=tokens,
                fonts=fonts,
                portal_css=(static / "portal.css").read_text(),
            )
            (target / "gcds.css").write_text(css)
            (target / "LICENSE.txt").write_bytes((tokens / "LICENSE").read_bytes())
            for file in FONT_FILES:
                family, face = file.split("/")
                copied = (fonts / f"fonts/{family}/{face}.woff2").read_bytes()
                (target / f"fonts/{face}.woff2").write_bytes(copied)
                licence = (fonts / f"fonts/{family}/LICENSE.txt").read_bytes()
                (target / f"fonts/{family}-LICENSE.txt").write_bytes(licence)
        self.stdout.write(f"Wrote {len(css):,} bytes of style and {len(FONT_FILES)} fonts.")
