"""Pictures and texts become the tensors of a Qwen2.5-VL, so that picture and tokens always match.

"Image features and image tokens do not match" cannot happen here: the pixels of a sample are made
once and its placeholders are counted from that very grid; nothing is ever cut off; special tokens
in a text are refused; patches are joined in the order of the rows; and each row is checked again
before the model sees it. Knows no model and no files.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from odia_ocr.errors import SampleError
from odia_ocr.recognize.vlm.line_picture import fit_line, measure_line
from odia_ocr.recognize.vlm.settings import PATCH, VlmSettings

IMAGE_TOKEN = "<|image_pad|>"
TURN_END = "<|im_end|>\n"
IGNORED = -100  # label of what is not learned: prompt, picture, padding
_PARTS = ("input_ids", "pixel_values", "image_grid_thw", "mm_token_type_ids")
_NAMED = 4  # samples of a batch that a message names
_WIDEST = 200  # times the height: the image processor refuses more


@dataclass(frozen=True, slots=True, eq=False)
class EncodedSample:
    """One picture with its prompt, and its text when there is one.

    Attributes:
        id: Name of the sample, for messages.
        tokens: Token ids of the whole sequence.
        labels: The same, `IGNORED` where nothing is learned.
        patches: float32 (t * h * w, 1176), the flattened patches.
        grid: (t, h, w) patches.
        read: The sequence ends where the answer begins: to generate from, not to learn from.

    Raises:
        SampleError: If labels do not go with tokens, or patches with the grid.
    """

    id: str
    tokens: tuple[int, ...]
    labels: tuple[int, ...]
    patches: Tensor
    grid: tuple[int, int, int]
    read: bool

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.tokens):
            raise SampleError(
                f"Sample {self.id}: {len(self.labels)} labels for {len(self.tokens)} tokens."
            )
        if self.patches.dim() != 2 or len(self.patches) != math.prod(self.grid):
            raise SampleError(
                f"Sample {self.id}: patches of shape {tuple(self.patches.shape)}, but its grid "
                f"{_show(self.grid)} holds {math.prod(self.grid)}.",
                next_step="Give it the patches of one picture, and the grid made with them.",
            )


@dataclass(frozen=True, slots=True)
class SamplePlan:
    """What a sample becomes.

    Attributes:
        grid: (t, h, w) patches of its picture.
        answer: Token ids of its text and the end of the turn; empty to generate from.
        length: Tokens of the whole sequence.
        most_pixels: Area that its picture is scaled down to.
    """

    grid: tuple[int, int, int]
    answer: tuple[int, ...]
    length: int
    most_pixels: int


def count_tokens(grid: Sequence[int], merge: int) -> int:
    """Tokens that a picture of `grid` (t, h, w) patches takes."""
    return math.prod(grid) // (merge * merge)


class VlmEncoder:
    """Turns samples into token ids and patches, and lists of those into batches.

    Attributes:
        settings: Prompt and limits.
        image_id: Token id of a placeholder.
        merge: Patches merged into one token, along one side.
    """

    def __init__(self, tokenizer: Any, image_processor: Any, settings: VlmSettings) -> None:
        """Take a tokenizer with a chat template, and a (PIL) image processor of Qwen2-VL.

        Raises:
            SampleError: If the chat template does not hold the picture exactly once, or the
                pad token is missing or the placeholder itself.
        """
        self.tokenizer, self.settings = tokenizer, settings
        self.image_processor = image_processor
        self.merge = int(image_processor.merge_size)
        self.image_id = int(tokenizer.convert_tokens_to_ids(IMAGE_TOKEN))
        self.pad_id = tokenizer.pad_token_id
        if self.pad_id is None or self.pad_id == self.image_id:
            raise SampleError(
                f"The pad token must exist and differ from {IMAGE_TOKEN}.",
                next_step="Set pad_token of the tokenizer, e.g. to <|endoftext|>.",
            )
        asked = [{"type": "image"}, {"type": "text", "text": settings.prompt}]
        prompt = tokenizer.apply_chat_template(
            [{"role": "user", "content": asked}], tokenize=False, add_generation_prompt=True
        )
        if prompt.count(IMAGE_TOKEN) != 1:
            raise SampleError(
                f"The chat template gives {prompt.count(IMAGE_TOKEN)} places for one picture.",
                next_step="Use a Qwen2.5-VL chat template, and a prompt without special tokens.",
            )
        before, after = prompt.split(IMAGE_TOKEN)
        self._before, self._after, self._end = map(self._tokenize, (before, after, TURN_END))
        self._special = {*tokenizer.all_special_ids, self.image_id}

    def _tokenize(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def tokenize_answer(self, text: str, sample_id: str) -> tuple[int, ...]:
        """Token ids of a transcription.

        Raises:
            SampleError: If it is empty or holds special tokens.
        """
        tokens = self._tokenize(text)
        found = sorted(self._special.intersection(tokens))
        if found:
            names = self.tokenizer.convert_ids_to_tokens(found)
            raise SampleError(
                f"Sample {sample_id}: its text holds the special tokens {', '.join(names)}.",
                next_step="Take them out of the transcription.",
            )
        if not text.strip():
            raise SampleError(
                f"Sample {sample_id}: its text is empty.",
                next_step="Transcribe it or leave it out.",
            )
        return tokens

    def grid_of(
        self, size: tuple[int, int], sample_id: str, most_pixels: int = 0
    ) -> tuple[int, int, int]:
        """The grid (t, h, w) that a picture of `size` (width, height) px becomes, without pixels.

        `most_pixels` is another limit than that of the settings.

        Raises:
            SampleError: If the picture is too long and thin, or empty.
        """
        from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

        width, height = size
        if min(size) < 1 or max(size) > _WIDEST * min(size):
            raise SampleError(
                f"Sample {sample_id}: a picture of {width} x {height} px is more than {_WIDEST} "
                "times as long as wide.",
                next_step="Cut it into lines, or leave it out.",
            )
        if self.settings.line_height:
            width, height = measure_line(size, self.settings)[1], self.settings.line_height
        patch = int(self.image_processor.patch_size)
        most = most_pixels or self.settings.max_pixels
        rows, columns = smart_resize(
            height,
            width,
            factor=patch * self.merge,
            min_pixels=min(self.settings.min_pixels, most),
            max_pixels=most,
        )
        return 1, rows // patch, columns // patch

    def encode(
        self, sample_id: str, picture: Image.Image, text: str | None, *, shrink: bool = False
    ) -> EncodedSample:
        """One sample; without `text` it ends where the answer begins.

        Args:
            sample_id: Its name, for messages.
            picture: In any mode.
            text: Its transcription.
            shrink: Scale the picture down, before it becomes patches, where the sequence would be
                longer than the settings allow.

        Raises:
            SampleError: If its picture cannot become patches, its text holds special tokens or is
                empty, or it is too long.
        """
        plan = self.plan(picture.size, text, sample_id, shrink=shrink)
        held = count_tokens(plan.grid, self.merge)
        prompt = (*self._before, *[self.image_id] * held, *self._after)
        return EncodedSample(
            sample_id,
            tokens=prompt + plan.answer,
            labels=(*[IGNORED] * len(prompt), *plan.answer),
            patches=self._make_patches(picture, plan, sample_id),
            grid=plan.grid,
            read=text is None,
        )

    def _make_patches(self, picture: Image.Image, plan: SamplePlan, sample_id: str) -> Tensor:
        """The patches of a picture, float32 (t * h * w, 1176).

        Raises:
            SampleError: If the processor lays them in another grid than the placeholders stand for.
        """
        made = self.image_processor(
            images=[fit_line(picture, self.settings)],
            size={
                "shortest_edge": min(self.settings.min_pixels, plan.most_pixels),
                "longest_edge": plan.most_pixels,
            },
            return_tensors="pt",
        )
        laid = tuple(made["image_grid_thw"][0].tolist())
        if laid != plan.grid:
            raise SampleError(
                f"Sample {sample_id}: the image processor made a grid {_show(laid)} of a picture "
                f"whose tokens stand for {_show(plan.grid)}.",
                next_step="Use the image processor of Qwen2-VL, and pixel limits from one place.",
            )
        patches: Tensor = made["pixel_values"]
        return patches

    def plan(
        self, size: tuple[int, int], text: str | None, sample_id: str, *, shrink: bool = False
    ) -> SamplePlan:
        """What a sample becomes, by the size (width, height) of its picture alone.

        Raises:
            SampleError: As `encode`.
        """
        answer: tuple[int, ...] = ()
        if text is not None:
            answer = (*self.tokenize_answer(text, sample_id), *self._end)
        beside = len(self._before) + len(self._after) + len(answer)
        most = self.settings.max_pixels
        grid = self.grid_of(size, sample_id)
        room = self.settings.max_tokens - beside
        if shrink and 0 < room < count_tokens(grid, self.merge):
            most = room * PATCH * PATCH
            grid = self.grid_of(size, sample_id, most)
        length = beside + count_tokens(grid, self.merge)
        if length > self.settings.max_tokens:
            raise SampleError(
                f"Sample {sample_id}: {length} tokens, {count_tokens(grid, self.merge)} of them of "
                f"the picture (grid {_show(grid)}), but max_tokens is "
                f"{self.settings.max_tokens}.",
                next_step=f"Lower max_pixels (now {self.settings.max_pixels}), raise max_tokens, "
                "or cut the picture into lines.",
            )
        return SamplePlan(grid, answer, length, most)

    def collate(self, samples: Sequence[EncodedSample]) -> dict[str, Tensor]:
        """A batch: `input_ids`, `attention_mask`, `mm_token_type_ids` (B, L), `labels` (B, L) to
        learn from, `pixel_values` (all patches, 1176), `image_grid_thw` (B, 3).

        Samples to generate from are padded on the left, samples to learn from on the right.

        Raises:
            SampleError: If a row's placeholders do not fit its picture, or samples of both kinds
                are mixed.
        """
        length = max(len(sample.tokens) for sample in samples)
        read = samples[0].read
        if any(sample.read != read for sample in samples):
            raise SampleError(
                "A batch holds samples with and without a text.",
                next_step="Learn from the ones and read the others.",
            )

        def pad(values: Sequence[int], filler: int) -> list[int]:
            gap = [filler] * (length - len(values))
            return [*gap, *values] if read else [*values, *gap]

        ids = torch.tensor([pad(sample.tokens, self.pad_id) for sample in samples])
        batch = {
            "input_ids": ids,
            "attention_mask": torch.tensor([pad([1] * len(s.tokens), 0) for s in samples]),
            "mm_token_type_ids": (ids == self.image_id).long(),
            "pixel_values": torch.cat([sample.patches for sample in samples]),
            "image_grid_thw": torch.tensor([sample.grid for sample in samples]),
        }
        if not read:
            batch["labels"] = torch.tensor([pad(sample.labels, IGNORED) for sample in samples])
        check_batch(batch, self.image_id, self.merge, [sample.id for sample in samples])
        return batch


def check_batch(
    batch: dict[str, Tensor], image_id: int, merge: int, names: Sequence[str] | None = None
) -> None:
    """Check each row of a batch; the model itself compares only the sums of all rows.

    Args:
        batch: As the model takes it.
        image_id: Token id of a placeholder.
        merge: Patches merged into one token, along one side.
        names: Names of the samples, for messages.

    Raises:
        SampleError: Naming the first row that does not fit, its tokens, grid and the probable
            cause; or all rows, where none alone is to blame.
    """
    lost = [key for key in _PARTS if key not in batch]
    if lost:
        raise SampleError(
            f"{_list_names(names)}: the batch has no {', '.join(lost)}.",
            next_step="Hand on all that was made of a sample (remove_unused_columns=False in a "
            "Trainer of transformers).",
        )
    grids = batch["image_grid_thw"]
    needed = (grids.prod(1) // merge**2).tolist()
    held = (batch["input_ids"] == image_id).sum(1).tolist()
    if len(needed) != len(held):
        raise SampleError(
            f"{_list_names(names)}: {len(held)} sequences, but {len(needed)} pictures.",
            next_step="Give every sequence exactly one picture, in the same order.",
        )
    for row, (have, need) in enumerate(zip(held, needed, strict=True)):
        if have != need:
            raise SampleError(
                f"{_name_row(names, row)}: {have} image tokens, but its picture gives {need} "
                f"features (grid {_show(grids[row].tolist())}): {_name_cause(have, need)}.",
                next_step="Make tokens and pixels of a sample in one place, and never cut them.",
            )
    patches, total = batch["pixel_values"], int(grids.prod(1).sum())
    if patches.dim() != 2 or len(patches) != total:
        raise SampleError(
            f"{_list_names(names)}: pixel_values is {tuple(patches.shape)}, but the grids hold "
            f"{total} patches.",
            next_step="Join the patches of all pictures along the first axis; do not stack them, "
            "and do not cut them into equal parts, as nn.DataParallel does.",
        )
    placed = (batch["mm_token_type_ids"] == 1) == (batch["input_ids"] == image_id)
    if not placed.all():
        raise SampleError(
            f"{_name_row(names, int((~placed).any(1).int().argmax()))}: mm_token_type_ids is "
            "wrong: the model would place the picture's tokens in one row.",
            next_step="Set it to 1 at the placeholders and to 0 elsewhere.",
        )


def _name_row(names: Sequence[str] | None, row: int) -> str:
    return f"Sample {names[row] if names else f'row {row}'}"


def _list_names(names: Sequence[str] | None) -> str:
    """All of a batch, where no single row is to blame."""
    if not names:
        return "The batch"
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"Samples {', '.join(names[:_NAMED])}{more}"


def _show(grid: Sequence[int]) -> str:
    return " x ".join(map(str, grid))


def _name_cause(have: int, need: int) -> str:
    if have == 0:
        return "the chat template dropped the picture"
    if have == 1:
        return "the placeholder was never expanded"
    if have < need:
        return "the sequence was cut, or the pixels were made with other limits than the text"
    return "a placeholder was expanded twice, stands in the text, or is the pad token"
