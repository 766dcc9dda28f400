"""Whether an address can be reached at all: a connection and nothing sent, so nothing is billed."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from urllib.parse import urlsplit

from glaze.errors import FetchError
from glaze.net.client import HttpClient
from glaze.net.sandbox import SandboxRoute

PATIENCE_S = 5.0
_PORTS = {"http": 80, "https": 443}


async def unreachable(
    urls: Collection[str], http: HttpClient, sandbox: SandboxRoute | None = None
) -> dict[str, str]:
    """Return those of ``urls`` to which no connection can be opened, each with the reason.

    Where a sandbox plays every vendor it is what is tried.
    """
    reasons = await asyncio.gather(*(_reason(url, http, sandbox) for url in urls))
    return {url: why for url, why in zip(urls, reasons, strict=True) if why}


async def _reason(url: str, http: HttpClient, sandbox: SandboxRoute | None) -> str:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443)
    try:
        async with asyncio.timeout(PATIENCE_S):
            if sandbox is not None:
                host, port = sandbox.http_host, sandbox.http_port
            else:
                host = (await http.dns.addresses(host))[0]
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return f"no connection within {PATIENCE_S:g} s"
    except FetchError as error:
        return str(error)
    except OSError as error:
        return error.strerror or str(error)
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return ""
