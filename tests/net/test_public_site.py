"""A request that the guard lets through keeps the URL's own host for HTTP and for TLS (S3)."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def _own_network() -> bool:
    tools = all(shutil.which(tool) for tool in ("unshare", "ip", "openssl"))
    return tools and subprocess.run(["unshare", "-rn", "true"], check=False).returncode == 0


@pytest.mark.skipif(not _own_network(), reason="needs unshare -rn, ip and openssl")
def test_a_public_site_is_dialled_at_its_vetted_address_under_its_own_name(tmp_path: Path) -> None:
    certificate, key = tmp_path / "site.pem", tmp_path / "site.key"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = "/CN=shop.example -addext subjectAltName=DNS:shop.example"
    subprocess.run(
        f"{make} -subj {names} -keyout {key} -out {certificate}".split(),
        check=True,
        capture_output=True,
    )
    peer = Path(__file__).with_name("public_peer.py")
    ran = subprocess.run(
        ["unshare", "-rn", sys.executable, peer, certificate, key],
        env=os.environ | {"SSL_CERT_FILE": str(certificate)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout)
    assert seen["pages"] == ["hello"] * 4
    assert seen["hosts"] == ["Host: shop.example"] * 3 + ["Host: 93.184.216.34"]
    assert seen["server_names"] == ["shop.example", "other.example"]
    # Two pages of one site share a connection; each other scheme and host has its own.
    assert seen["connections"] == 3
    # The certificate is not other.example's, so no byte of the request was sent.
    assert seen["other_sent"] is False
