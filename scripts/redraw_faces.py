"""Draw the designs of training faces anew: more faces to train on, from few families.

    python scripts/redraw_faces.py .cache/fonts -o .cache/fonts/redrawn [--variants 2] [--seed 1]

See `odia_ocr.data.redraw` for what changes. Faces that are held out are never touched.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from pathlib import Path

import numpy as np
from rich.progress import track

from odia_ocr.data.faces import family_key, find_faces
from odia_ocr.data.redraw import Design, redraw_face


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fonts", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--variants", type=int, default=2, help="of each face")
    parser.add_argument("--least", type=int, default=10, help="variants of each family")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    faces = [
        face
        for face in find_faces(options.fonts)
        if face.odia and not face.heldout and options.out not in Path(face.path).parents
    ]
    skipped = set()
    faces_of = Counter(family_key(face.family) for face in faces)
    for i, face in enumerate(track(faces, description="Faces")):
        lone = math.ceil(options.least / faces_of[family_key(face.family)])
        for variant in range(max(options.variants, lone)):
            rng = np.random.default_rng((options.seed, i, variant))
            target = options.out / f"{face.name}-redrawn{variant}.ttf"
            if not redraw_face(Path(face.path), target, Design.draw(rng)):
                skipped.add(face.name)
    if skipped:
        print("No TrueType outlines, left out:", ", ".join(sorted(skipped)))


if __name__ == "__main__":
    main()
