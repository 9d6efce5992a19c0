"""Label Studio: corrected transcriptions in, pages and readings to correct out.

Read is what `Export > JSON` gives for the template "Optical Character Recognition": rectangles or
polygons in percent of the picture, each with a text; or a text for the whole picture. Only what a
person submitted counts: predictions and drafts are not taken for transcriptions.
Source: labelstud.io/guide/task_format.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from odia_ocr.data.sets.out_files import name_split, told_as_output, write_bytes
from odia_ocr.data.sets.page_pictures import SamplePage, find_picture, group_pages
from odia_ocr.data.sets.sample import (
    CutPicture,
    FilePicture,
    PagePicture,
    Place,
    Sample,
    clean_text,
)
from odia_ocr.errors import DataError, InputError
from odia_ocr.types import Polygon, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from odia_ocr.types import Point

TASKS = "tasks.json"
CONFIG = "config.xml"
PICTURES = "images"
_PICTURE_KEYS = ("ocr", "image", "img", "picture", "captioning")
_OWN = ("source", "split", "line")
_GEOMETRY = ("x", "y", "width", "height", "rotation", "points")
_WHOLE = {"x": 0, "y": 0, "width": 100, "height": 100}
# An uploaded file is called UPLOAD-NAME, with eight hexadecimal digits before.
_UPLOAD = re.compile(r"^[0-9a-f]{8}-")
_LABELLING = """<View>
  <Image name="image" value="$ocr" zoom="true" zoomControl="true" rotateControl="true"/>
  <Labels name="label" toName="image"><Label value="Line" background="#a8481f"/></Labels>
  <Rectangle name="bbox" toName="image" strokeWidth="2"/>
  <Polygon name="poly" toName="image" strokeWidth="2"/>
  <TextArea name="transcription" toName="image" editable="true" perRegion="true" required="true"
            maxSubmissions="1" rows="3" placeholder="Text of the line"
            displayMode="region-list"/>
</View>
"""


def read_tasks(path: Path, pictures: Path | None = None) -> Iterator[Sample | Problem]:
    """The lines of an export.

    Args:
        path: The JSON file, or a folder with `tasks.json`.
        pictures: Another folder to look for the pictures in.

    Raises:
        DataError: If it is no JSON list of tasks.
    """
    path = path / TASKS if path.is_dir() else path
    for position, task in enumerate(_load(path), start=1):
        name = str(task.get("id", position)) if isinstance(task, dict) else str(position)
        try:
            yield from _read_task(path, f"task-{name}", task, pictures)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            message = f"{path.name}, task {name} is malformed ({type(error).__name__}: {error})."
            yield Problem("task-malformed", message, "Export it again.", line_id=f"task-{name}")


def is_export(path: Path) -> bool:
    """Whether a JSON file looks like a list of tasks."""
    try:
        with path.open(encoding="utf-8-sig") as stream:
            head = stream.read(4000)
    except (OSError, UnicodeDecodeError):
        return False
    return head.lstrip().startswith("[") and bool(
        re.search(r'"(annotations|data|predictions)"', head)
    )


def _load(path: Path) -> list[Any]:
    try:
        tasks = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} cannot be read as JSON: {error}.", next_step="Export it again as JSON."
        ) from None
    if not isinstance(tasks, list):
        raise DataError(
            f"{path} holds no list of tasks.", next_step="Export it as JSON, not JSON-MIN or CSV."
        )
    return tasks


def _read_task(
    path: Path, name: str, task: Mapping[str, Any], pictures: Path | None
) -> Iterator[Sample | Problem]:
    result = _submitted(task)
    if result is None:
        message = f"{path.name}, {name} has no submitted annotation and is left out."
        yield Problem("transcription-missing", message, "Annotate and submit it.", line_id=name)
        return
    data = task["data"]
    address = next((str(data[key]) for key in _PICTURE_KEYS if key in data), "")
    picture = _find(path, address, pictures)
    if picture is None:
        message = f"{path.name}, {name}: its picture {address or '(not named)'} is not found."
        step = "Put it beside the file, or name its folder: --pictures FOLDER."
        yield Problem("picture-missing", message, step, line_id=name)
        return
    extras = tuple(
        (key, value) for key, value in data.items() if key not in (*_PICTURE_KEYS, *_OWN)
    )
    source = str(data.get("source") or picture.stem)
    split = str(data.get("split") or "")
    try:
        size = PagePicture(picture).load().size
    except InputError as error:
        yield Problem("picture-unreadable", error.message, error.next_step, line_id=name)
        return
    for region, text, value in _join(result):
        own = str(value.get("line") or region)
        if not text:
            message = f"{path.name}, {name}: region {region} has no text and is left out."
            yield Problem("text-empty", message, "Write its text.", line_id=f"{name}/{region}")
            continue
        outline = _outline(value, size)
        if outline is None:
            line = str(data.get("line") or name)
            yield Sample(line, FilePicture(picture), text, source, split, extras=extras)
            continue
        place = Place(PagePicture(picture), outline)
        cut = CutPicture(f"{name}/{region}", place)
        yield Sample(own, cut, text, source, split, place, extras)


def _submitted(task: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The result of the annotation that was changed last; None without any."""
    done = [one for one in task.get("annotations") or () if not one.get("was_cancelled")]
    if not done:
        return None
    best = max(done, key=lambda one: str(one.get("updated_at") or one.get("created_at") or ""))
    result: list[dict[str, Any]] = best["result"]
    return result


def _join(result: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(id, text, geometry) of each region: what is said of one in several places comes together."""
    regions: dict[str, dict[str, Any]] = {}
    for position, one in enumerate(result):
        value = one.get("value") or {}
        kept = regions.setdefault(str(one.get("id") or position), {})
        kept |= {key: value[key] for key in _GEOMETRY if key in value}
        kept |= {"line": line} if (line := (one.get("meta") or {}).get("line")) else {}
        if one.get("type") == "textarea":
            text = value.get("text")
            kept["text"] = "\n".join(text) if isinstance(text, list) else str(text or "")
    for name, kept in regions.items():
        yield name, clean_text(kept.get("text", "")), kept


def _outline(value: Mapping[str, Any], size: tuple[int, int]) -> Polygon | None:
    """Percent of the picture become its pixels; None where it is the whole picture.

    A turned rectangle is turned about its top left corner.
    """
    if not {"x", "points"} & value.keys() or _WHOLE.items() <= value.items():
        return None
    across, down = size[0] / 100, size[1] / 100
    if "points" in value:
        return tuple((float(x) * across, float(y) * down) for x, y in value["points"])
    left, top = float(value["x"]) * across, float(value["y"]) * down
    width, height = float(value["width"]) * across, float(value["height"]) * down
    angle = math.radians(float(value.get("rotation") or 0))
    cos, sin = math.cos(angle), math.sin(angle)
    corners = ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))
    return tuple((left + x * cos - y * sin, top + x * sin + y * cos) for x, y in corners)


def _find(path: Path, address: str, pictures: Path | None) -> Path | None:
    """The picture of an address: of the local storage (`?d=`), an upload, a path or a URL."""
    parts = urlsplit(address)
    _, _, local = parts.query.partition("d=")
    named = unquote(local or parts.path)
    for name in (named.lstrip("/"), _UPLOAD.sub("", Path(named).name)):
        found = find_picture(path, name, pictures) if name else None
        if found is not None:
            return found
    return None


def write_tasks(
    samples: Iterable[Sample],
    out: Path,
    *,
    readings: str = "",
    address: str = "/data/local-files/?d=",
) -> int:
    """Write `tasks.json`, `images/` and the labelling interface `config.xml`; returns the lines.

    Args:
        samples: Those of one page follow each other.
        out: The folder.
        readings: Who read the texts. Empty: they are transcriptions and become annotations. Else
            they become predictions, which Label Studio shows for correction.
        address: What stands before `images/NAME` in the address of a picture.

    Raises:
        OutputError: If something cannot be written.
    """
    count = 0
    write_bytes(out / CONFIG, _LABELLING.encode())
    with told_as_output(out / TASKS), (out / TASKS).open("w", encoding="utf-8") as stream:
        # Task by task, so that a large set does not sit in memory.
        stream.write("[")
        for position, page in enumerate(group_pages(samples)):
            name = "-".join(filter(None, (name_split(page.split), page.name))) + page.picture.suffix
            write_bytes(out / PICTURES / name, page.picture.data)
            task = _make_task(page, f"{address}{PICTURES}/{name}", readings)
            stream.write("\n" if position == 0 else ",\n")
            stream.write(json.dumps(task, ensure_ascii=False))
            count += len(page.samples)
        stream.write("\n]\n")
    return count


def _make_task(page: SamplePage, address: str, readings: str) -> dict[str, Any]:
    first = page.samples[0]
    data: dict[str, Any] = {"ocr": address, "source": first.source}
    if page.split:
        data["split"] = page.split
    if first.place is None:
        data |= {"line": first.id, **dict(first.extras)}
    result = [part for i, sample in enumerate(page.samples) for part in _describe(page, i, sample)]
    said: dict[str, Any] = {"result": result}
    if readings:
        sure = [value for sample in page.samples if (value := _confidence(sample)) is not None]
        said |= {"model_version": readings, "score": min(sure) if sure else None}
    return {"data": data, ("predictions" if readings else "annotations"): [said]}


def _confidence(sample: Sample) -> float | None:
    value = dict(sample.extras).get("confidence")
    return float(value) if isinstance(value, (int, float)) else None


def _describe(page: SamplePage, number: int, sample: Sample) -> Iterator[dict[str, Any]]:
    width, height = page.size
    common: dict[str, Any] = {
        "id": f"line-{number + 1:04d}",
        "to_name": "image",
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "meta": {"line": sample.id},
    }
    outline = sample.place.polygon if sample.place else _whole(width, height)
    points = [[100 * x / width, 100 * y / height] for x, y in outline]
    shape: dict[str, Any] = {"points": points}
    kind, name = "polygon", "poly"
    if _is_upright(outline):
        (left, top), (right, bottom) = points[0], points[2]
        shape = {"x": left, "y": top, "width": right - left, "height": bottom - top, "rotation": 0}
        kind, name = "rectangle", "bbox"
    yield {**common, "from_name": name, "type": kind, "value": shape}
    labels = {**shape, "labels": ["Line"]}
    yield {**common, "from_name": "label", "type": "labels", "value": labels}
    text = {**shape, "text": [sample.text]}
    yield {**common, "from_name": "transcription", "type": "textarea", "value": text}


def _whole(width: int, height: int) -> Polygon:
    return ((0.0, 0.0), (float(width), 0.0), (float(width), float(height)), (0.0, float(height)))


def _is_upright(outline: tuple[Point, ...]) -> bool:
    """A box with the line's top left first."""
    if len(outline) != 4:
        return False
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = outline
    return (x0, y0, x1, y2) == (x3, y1, x2, y3) and x0 < x1 and y0 < y2
