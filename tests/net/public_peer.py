"""Run by the test beside it, in a network of its own whose loopback owns a public address.

The only way to see the guard let a request through without leaving the machine.
"""

import asyncio
import json
import ssl
import subprocess
import sys
import time

from conftest import FakeDns
from glaze.errors import ConnectFailed
from glaze.net.client import HttpClient
from glaze.net.dns import Dns
from glaze.net.vendor import BoundHttp

PUBLIC = "93.184.216.34"
BODY = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


async def main(certificate: str, key: str) -> None:
    seen: dict[str, list[str]] = {"hosts": [], "server_names": []}
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                seen["hosts"] += [line for line in head.split("\r\n") if line.startswith("Host:")]
                writer.write(BODY)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    tls.sni_callback = lambda _socket, name, _context: seen["server_names"].append(name)
    await asyncio.start_server(talk, PUBLIC, 443, ssl=tls)
    await asyncio.start_server(talk, PUBLIC, 80)
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(
        FakeDns, local_addr=("127.0.0.1", 5300)
    )
    server.everything_is = PUBLIC

    async with HttpClient(dns=Dns(nameserver=("127.0.0.1", 5300))) as client:
        http = BoundHttp(client, deadline=time.monotonic() + 20)
        pages = [
            (await http.request("GET", url)).body.decode()
            for url in (
                "https://shop.example/a",
                "https://shop.example/b",
                "http://shop.example/",
                f"http://{PUBLIC}/",
            )
        ]
        try:
            await http.request("GET", "https://other.example/")
            other_sent = None
        except ConnectFailed as failure:
            other_sent = failure.sent
    transport.close()
    sys.stdout.write(
        json.dumps({"pages": pages, "connections": connections, "other_sent": other_sent, **seen})
    )


for command in (["link", "set", "lo", "up"], ["addr", "add", f"{PUBLIC}/32", "dev", "lo"]):
    subprocess.run(["ip", *command], check=True)
asyncio.run(main(*sys.argv[1:]))
