"""Files go to the model hub, in one commit.

Takes the hub's API as a value, so that tests can hand in another endpoint. Refuses to know what the
files are; the errors of the hub become ours, with what to do.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from odia_ocr.errors import OutputError, ResourceMissingError, UsageError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_LOG_IN = (
    "Make a token with write access at https://huggingface.co/settings/tokens, and log in with it:"
    " hf auth login."
)
_NAMES = "Names are OWNER/NAME, of letters, digits, '-', '_' and '.'."
_NAME = re.compile(r"([\w.-]+/)?[\w.-]{1,96}", re.ASCII)


@dataclass(frozen=True, slots=True)
class UploadFile:
    """A file of a repository: its name there, and where its content is or what it is."""

    name: str
    content: Path | bytes

    @property
    def size(self) -> int:
        """In bytes."""
        if isinstance(self.content, bytes):
            return len(self.content)
        return self.content.stat().st_size

    def read(self) -> bytes:
        """All of it."""
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()


@dataclass(frozen=True, slots=True)
class Upload:
    """What goes into one repository.

    Attributes:
        repo: OWNER/NAME.
        kind: Of repository.
        files: All of them; what is there under other names stays.
        message: Of the commit.
        private: Nobody else may see the repository.
    """

    repo: str
    kind: Literal["model", "space"]
    files: tuple[UploadFile, ...]
    message: str
    private: bool = False


def complete_name(repo: str, api: HfApi) -> str:
    """OWNER/NAME of a repository; a bare NAME is one of the person whose token is used.

    Raises:
        UsageError: If it can be no name.
        ResourceMissingError: If there is no token, or the hub does not take it.
        OutputError: If the hub cannot be reached.
    """
    if not _NAME.fullmatch(repo):
        raise UsageError(f"{repo!r} cannot be the name of a repository.", next_step=_NAMES)
    with _translate(repo):
        return repo if "/" in repo else f"{api.whoami()['name']}/{repo}"


def upload(order: Upload, api: HfApi) -> str:
    """Create the repository where it is missing and commit the files; returns its address.

    Raises:
        UsageError: If it exists and more or fewer people can see it than was asked for.
        ResourceMissingError: If there is no token, or the hub does not take it.
        OutputError: If the hub cannot be reached or refuses a file.
    """
    from huggingface_hub import CommitOperationAdd

    with _translate(order.repo):
        api.whoami()  # says at once that there is no token
        _open_repo(order, api)
        operations = [
            CommitOperationAdd(path_in_repo=file.name, path_or_fileobj=file.content)
            for file in order.files
        ]
        api.create_commit(
            order.repo, operations, commit_message=order.message, repo_type=order.kind
        )
    folder = "spaces/" if order.kind == "space" else ""
    return f"{api.endpoint}/{folder}{order.repo}"


def _open_repo(order: Upload, api: HfApi) -> None:
    """Make the repository, or check that the one that exists is seen by whom it should be."""
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        private = bool(api.repo_info(order.repo, repo_type=order.kind).private)
    except RepositoryNotFoundError:
        api.create_repo(
            order.repo,
            repo_type=order.kind,
            private=order.private,
            space_sdk="gradio" if order.kind == "space" else None,
        )
        return
    if private and not order.private:
        raise UsageError(
            f"{order.repo} exists and is private: nobody else would see what is published.",
            next_step="Open it in its settings on the hub, or say --private.",
        )
    if order.private and not private:
        raise UsageError(
            f"{order.repo} exists and is public: everybody would see what you want private.",
            next_step="Close it in its settings on the hub, or choose another name.",
        )


@contextlib.contextmanager
def _translate(repo: str) -> Iterator[None]:
    """Errors of the hub as errors of this package."""
    from huggingface_hub import errors

    try:
        yield
    except errors.HFValidationError as error:
        raise UsageError(
            f"{repo!r} cannot be the name of a repository: {str(error).splitlines()[0]}",
            next_step=_NAMES,
        ) from error
    except errors.LocalTokenNotFoundError as error:
        raise ResourceMissingError("There is no token of the hub.", next_step=_LOG_IN) from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        said = (error.server_message or str(error)).strip().splitlines()[0]
        if status == 401:
            message = f"The hub does not take the token: {said}"
            raise ResourceMissingError(message, next_step=_LOG_IN) from error
        if status in (403, 404):
            raise ResourceMissingError(
                f"The token may not write to {repo}: {said}",
                next_step="Check the owner's name, and that the token has write access there.",
            ) from error
        raise OutputError(
            f"The hub refused {repo} ({status}): {said}", next_step="Try again later."
        ) from error
    except (errors.HTTPError, OSError) as error:  # type: ignore[attr-defined] # its HTTP library's
        raise OutputError(
            f"The hub cannot be reached: {type(error).__name__}: {error}",
            next_step="Check the network and HF_ENDPOINT, and try again.",
        ) from error
