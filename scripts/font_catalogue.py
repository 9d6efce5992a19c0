"""Which Debian and npm packages hold Odia faces, and under which licence.

Licences were read from the licence file of each package. Of variable families it says where to cut
them (at most ten instances a family), of old faces (Samyak, Utkal) which spelling to draw: they
know those of their day, WA after a virama stays apart, and ya-phala written with YYA carries a
stray dot.
"""

from __future__ import annotations

import dataclasses

from font_shaping import Instance

OFL = "OFL-1.1"


@dataclasses.dataclass(frozen=True)
class NpmFamily:
    """A variable family in an npm fontsource package: files/<stem>-<subset>-<axes>-normal.woff2."""

    name: str
    package: str
    version: str
    stem: str
    axes: str
    instances: tuple[Instance, ...]
    licence: str = OFL


@dataclasses.dataclass(frozen=True)
class DebianFace:
    """A static face in a Debian package, copied as it is."""

    name: str
    style: str
    package: str
    path: str
    licence: str
    weight: int = 400
    respell: tuple[tuple[str, str], ...] = ()


def name_weights(*weights: int) -> tuple[Instance, ...]:
    """Return upright instances of normal width at these weights."""
    return tuple(Instance(WEIGHT_NAMES[weight], weight) for weight in weights)


WEIGHT_NAMES = {
    100: "Thin",
    200: "ExtraLight",
    300: "Light",
    400: "Regular",
    500: "Medium",
    600: "SemiBold",
    700: "Bold",
    800: "ExtraBold",
    900: "Black",
}

NPM_FAMILIES = (
    NpmFamily(
        "Noto Sans Oriya",
        "@fontsource-variable/noto-sans-oriya",
        "5.3.0",
        "noto-sans-oriya",
        "standard",
        (
            *name_weights(200, 300, 400, 500, 600, 700, 900),
            Instance("Condensed", 400, 75),
            Instance("CondensedBold", 700, 75),
            Instance("ExtraCondensed", 400, 62),
        ),
    ),
    NpmFamily(
        "Noto Serif Oriya",
        "@fontsource-variable/noto-serif-oriya",
        "5.3.0",
        "noto-serif-oriya",
        "wght",
        name_weights(400, 500, 600, 700),
    ),
    NpmFamily(
        "Anek Odia",
        "@fontsource-variable/anek-odia",
        "5.3.0",
        "anek-odia",
        "standard",
        (
            *name_weights(200, 300, 400, 500, 600, 700, 800),
            Instance("Condensed", 400, 75),
            Instance("CondensedBold", 700, 75),
            Instance("Expanded", 400, 125),
        ),
    ),
    NpmFamily(
        "Baloo Bhaina 2",
        "@fontsource-variable/baloo-bhaina-2",
        "5.3.0",
        "baloo-bhaina-2",
        "wght",
        name_weights(400, 500, 600, 700, 800),
    ),
    NpmFamily(
        "Alkatra",
        "@fontsource-variable/alkatra",
        "5.3.0",
        "alkatra",
        "wght",
        name_weights(400, 500, 600, 700),
    ),
    NpmFamily(
        "Google Sans",
        "@fontsource-variable/google-sans",
        "5.3.1",
        "google-sans",
        "wght",
        (
            *name_weights(400, 500, 700),
            Instance("Italic", 400, italic=True),
            Instance("BoldItalic", 700, italic=True),
        ),
    ),
)

# Draw ya-phala with YA and wa-phala with BA: see the module docstring.
OLD_SPELLINGS = (("\u0b4d\u0b5f", "\u0b4d\u0b2f"), ("\u0b4d\u0b71", "\u0b4d\u0b2c"))

TRUETYPE = "usr/share/fonts/truetype"
DEBIAN_FACES = (
    DebianFace(
        name="Lohit Odia",
        style="Regular",
        package="fonts-lohit-orya",
        path=f"{TRUETYPE}/lohit-oriya/Lohit-Odia.ttf",
        licence=OFL,
    ),
    DebianFace(
        name="Samyak Oriya",
        style="Regular",
        package="fonts-samyak-orya",
        path=f"{TRUETYPE}/samyak-fonts/Samyak-Oriya.ttf",
        licence="GPL-3.0-or-later WITH Font-exception-2.0",
        respell=OLD_SPELLINGS,
    ),
    DebianFace(
        name="Utkal",
        style="Medium",
        package="fonts-orya-extra",
        path=f"{TRUETYPE}/fonts-orya-extra/utkal.ttf",
        licence="GPL-2.0-or-later",
        respell=OLD_SPELLINGS,
    ),
    DebianFace(
        name="Free Serif",
        style="Regular",
        package="fonts-freefont-ttf",
        path=f"{TRUETYPE}/freefont/FreeSerif.ttf",
        licence="GPL-3.0-or-later WITH Font-exception-2.0",
    ),
)

# Latin companions by Debian package; names are without their ending, * stands for any style.
LATIN_FACES = {
    "fonts-liberation": ("LiberationSans-*", "LiberationSerif-*", "LiberationMono-Regular"),
    "fonts-dejavu-core": ("DejaVuSans*", "DejaVuSerif*"),
    "fonts-crosextra-carlito": ("Carlito-*",),
    "fonts-crosextra-caladea": ("Caladea-*",),
    "fonts-open-sans": tuple(
        f"OpenSans-{style}" for style in ("Regular", "Italic", "Bold", "BoldItalic")
    ),
    "fonts-roboto-unhinted": (
        *(f"Roboto-{style}" for style in ("Regular", "Italic", "Bold", "BoldItalic")),
        *(f"RobotoCondensed-{style}" for style in ("Light", "Regular", "Medium", "Bold")),
    ),
}

# Variable files in the extra folder are cut at these weights where their axis reaches.
EXTRA_WEIGHTS = (400, 500, 600, 700)
