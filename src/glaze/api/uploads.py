"""Tables as request bodies: put on disk as they come, whatever their form; `bodies` bounds them."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Any

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from glaze.errors import InputError, UploadTooLarge

MEDIA_TYPES: Mapping[str, str] = {
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/x-ndjson": ".jsonl",
    "application/jsonl": ".jsonl",
    "application/vnd.apache.parquet": ".parquet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/octet-stream": "",
}
"""What a body may be -> how its file is called; of bytes that say no more, the first ones tell."""
_MIB = 1 << 20
_MOST_JSON = 16 * _MIB
_MOST_INLINE_ROWS = 10_000
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Upload:
    """A table on disk, for as long as its request. ``options`` are what stood beside it."""

    path: Path
    name: str | None  # as the sender calls it
    options: Mapping[str, Sequence[Any]] = field(default_factory=dict)


@asynccontextmanager
async def uploaded(request: Request) -> AsyncIterator[Upload]:
    """Put the body's table on disk, in constant memory, and remove it at the end.

    Raises: UploadTooLarge; InputError where the body is of no known form, holds no table, or
        broke off.
    """
    with TemporaryDirectory(prefix="glaze-upload-") as folder:
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            yield await _received(request, media, Path(folder))
        except ClientDisconnect:
            raise InputError("the upload broke off; nothing was taken") from None


async def _received(request: Request, media: str, folder: Path) -> Upload:
    if media == "multipart/form-data":
        return await _from_form(request, folder)
    if media == "application/json":
        return await _from_json(request, folder)
    if media not in MEDIA_TYPES:
        raise InputError(
            f"a table is not sent as {media or 'nothing'}: send multipart/form-data with the part"
            f" `file`, application/json with `rows`, or one of {', '.join(MEDIA_TYPES)}"
        )
    path = folder / f"upload{MEDIA_TYPES[media]}"
    with path.open("wb") as file:
        async for chunk in request.stream():
            await asyncio.to_thread(file.write, chunk)
    return Upload(path, None)


async def _from_form(request: Request, folder: Path) -> Upload:
    parser = MultiPartParser(request.headers, request.stream(), max_files=1, max_fields=2100)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise InputError(f"the form cannot be read: {error.message}") from None
    try:
        sent = form.get("file")
        if not isinstance(sent, UploadFile):
            raise InputError("the form has no file: send the table as the part `file`")
        name = PurePath(sent.filename or "").name
        path = folder / f"upload{PurePath(name).suffix[:10].lower()}"
        with path.open("wb") as file:
            await asyncio.to_thread(shutil.copyfileobj, sent.file, file, _MIB)
        options: dict[str, list[str]] = {}
        for key, value in form.multi_items():
            if isinstance(value, str):
                options.setdefault(key, []).append(value)
        return Upload(path, name[:_LONGEST_NAME] or None, options)
    finally:
        await form.close()


async def _from_json(request: Request, folder: Path) -> Upload:
    pieces, size = [], 0
    async for piece in request.stream():
        pieces.append(piece)
        size += len(piece)
        if size > _MOST_JSON:
            raise UploadTooLarge(
                f"more than {_MOST_JSON // _MIB} MiB of JSON; send the rows as a file"
            )
    body = b"".join(pieces)
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the body is not JSON: {error}") from None
    rows = told.pop("rows", None) if isinstance(told, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError("the body has no `rows`: a list of objects, such as {'website': ...}")
    if len(rows) > _MOST_INLINE_ROWS:
        raise InputError(f"over {_MOST_INLINE_ROWS:,} rows: send them as a file")
    path = folder / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    options = {key: value if isinstance(value, list) else [value] for key, value in told.items()}
    return Upload(path, None, options)
