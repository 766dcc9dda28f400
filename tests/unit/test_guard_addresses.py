"""The guard's pure half: addresses and URLs are judged before anything is dialled (S3)."""
# ruff: noqa: RUF001  look-alike digits are the point; a table reads better as words

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glaze.errors import AddressRefused, SettingsError
from glaze.net.addresses import vet
from glaze.net.sandbox import SANDBOX_ADDRESS, SandboxRoute
from glaze.net.urls import vet_host, vet_url

REFUSED_ADDRESSES = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.254
168.63.129.16 169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.192
192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.10 224.0.0.1
239.255.255.250 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254
::ffff:0:127.0.0.1 64:ff9b::127.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b::10.0.0.1 64:ff9b:1::8.8.8.8
100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:db8::1
2002:7f00:1:: 2002:a9fe:a9fe:: 2002:808:808:: 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1
fe80::1%eth0 2a00:1450:4001:81b::200e%eth0 fec0::1 ff02::1 4000::1
2a00:1450:4001:81b:0:5efe:127.0.0.1 2a00:1450:4001:81b:200:5efe:10.0.0.1
""".split()

DIALLED_ADDRESSES = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 93.184.216.34 100.63.255.255 100.128.0.0 126.255.255.255
128.0.0.1 169.253.255.255 172.15.255.255 172.32.0.0 192.0.1.1 192.167.255.255 198.17.255.255
198.20.0.0 223.255.255.254
2606:4700:4700::1111 2a00:1450:4001:81b::200e ::ffff:8.8.8.8 64:ff9b::8.8.8.8
""".split()

HOSTILE_URLS = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://0x/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://0/",
    "http://127.0.0.1./",
    "http://127.0.0.1../",
    "http://①②⑦.⓪.⓪.①/",
    "http://１２７.0.0.1/",
    "http://127。0。0。1/",
    "http://127｡0｡0｡1/",
    "http://127%2e0%2e0%2e1/",
    "http://%31%32%37.0.0.1/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::127.0.0.1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:ffff:7f00:1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://[v1.a:b]/",
    "http://[::1",
    "http://[::1]x/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://100.100.100.200/",
    "http://192.0.0.192/",
    "http://metadata.google.internal/",
    "http://metadata/",
    "http://localhost/",
    "http://LOCALHOST/",
    "http://localhost./",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
    "http://ｌocalhost/",
    "http://a.localhost/",
    "http://localhost.localdomain/",
    "http://printer.local/",
    "http://printer.local./",
    "http://vault.internal/",
    "http://wiki.intranet/",
    "http://nas.lan/",
    "http://router.home.arpa/",
    "http://intranet/",
    "http://.example.com/",
    "http://example..com/",
    "http://./",
    "http://../",
    "http:///etc/passwd",
    "http://",
    "http:",
    "http:127.0.0.1",
    "http:/127.0.0.1/",
    "//127.0.0.1/",
    "/relative",
    "",
    "example.com",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "javascript:alert(1)",
    "data:text/html,x",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "http://user@example.com/",
    "http://user:pw@example.com/",
    "http://:@example.com/",
    "http://example.com@127.0.0.1/",
    "http://example.com:80@127.0.0.1/",
    "http://127.0.0.1\\@example.com/",
    "http://example.com\\@127.0.0.1/",
    "http://a@b@127.0.0.1/",
    "http://example.com:0/",
    "http://example.com:22/",
    "http://example.com:25/",
    "http://example.com:1023/",
    "http://example.com:2375/",
    "http://example.com:5432/",
    "http://example.com:6379/",
    "http://example.com:9200/",
    "http://example.com:11211/",
    "http://example.com:65536/",
    "http://example.com:-1/",
    "http://example.com:abc/",
    "http://exa mple.com/",
    "http://example.com\x00.evil/",
    "http://example.com/\r\nHost: 127.0.0.1",
    "http://exam\tple.com/",
    "http://127.0.0.1%00.example.com/",
    "http://127.0.0.1%23.example.com/",
    "http://127.0.0.1;.example.com/",
    "http://" + "a" * 64 + ".com/",
    "http://" + "a." * 130 + "com/",
    "http://example.com/" + "a" * 9_000,
    "http://xn--/",
    "http://loc\u200balhost/",
    "http://ex\u00adample.com/",
    "http://\ud800.com/",
]


@pytest.mark.parametrize("address", REFUSED_ADDRESSES)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(AddressRefused) as refusal:
        vet(address)
    assert refusal.value.sent is False


@pytest.mark.parametrize("address", DIALLED_ADDRESSES)
def test_an_ordinary_public_address_passes(address: str) -> None:
    vet(address)


@pytest.mark.parametrize(
    "text", ["", "127.1", "2130706433", "0177.0.0.1", "example.com", "1.2.3.4/8"]
)
def test_what_is_no_canonical_literal_is_refused(text: str) -> None:
    with pytest.raises(AddressRefused):
        vet(text)


@given(st.ip_addresses(v=4))
def test_nothing_private_passes_by_python_s_own_judgement_in_any_disguise(
    inner: ipaddress.IPv4Address,
) -> None:
    disguises = [
        inner,
        ipaddress.IPv6Address(int(inner) | 0xFFFF << 32),
        ipaddress.IPv6Address((0x64_FF9B << 96) | int(inner)),
    ]
    for address in disguises:
        if inner.is_private or inner.is_multicast or inner.is_reserved or not inner.is_global:
            with pytest.raises(AddressRefused):
                vet(address)


@given(st.ip_addresses(v=6))
def test_no_ipv6_address_outside_global_unicast_passes(address: ipaddress.IPv6Address) -> None:
    judged_inside = (
        ipaddress.ip_network("2000::/3"),
        ipaddress.ip_network("64:ff9b::/96"),
        ipaddress.ip_network("::ffff:0:0/96"),
    )
    if not any(address in network for network in judged_inside):
        with pytest.raises(AddressRefused):
            vet(address)


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_a_hostile_url_is_refused_before_any_lookup(url: str) -> None:
    with pytest.raises(AddressRefused):
        vet_url(url)


@pytest.mark.parametrize(
    ("url", "dialled"),
    [
        ("https://example.com", "https://example.com/"),
        ("https://EXAMPLE.com./a?b=c#d", "https://example.com/a?b=c"),
        ("http://example.com:8080/x", "http://example.com:8080/x"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://日本.jp/", "https://xn--wgv71a.jp/"),
        ("https://my_shop.example.com/", "https://my_shop.example.com/"),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
        ("http://8.8.8.8./", "http://8.8.8.8/"),
        ("http://[2606:4700:4700::1111]/", "http://[2606:4700:4700::1111]/"),
        ("https://example.com/a b", "https://example.com/a%20b"),
        ("https://0x7f.example.com/", "https://0x7f.example.com/"),
        ("https://localhost.example.com/", "https://localhost.example.com/"),
    ],
)
def test_an_ordinary_url_passes_in_its_canonical_form(url: str, dialled: str) -> None:
    vetted = vet_url(url)
    assert str(vetted).replace("example.com:443", "example.com").rstrip("/") == dialled.rstrip("/")


@given(st.text(max_size=60))
def test_any_text_is_either_vetted_or_refused(text: str) -> None:
    for url in (text, f"http://{text}/", f"https://{text}", f"http://example.com{text}"):
        try:
            vetted = vet_url(url)
        except AddressRefused:
            continue
        assert vetted.scheme in {"http", "https"}
        assert vetted.raw_user is None
        assert vet_host(vetted.raw_host or "") == vetted.raw_host


@given(st.ip_addresses(v=4), st.sampled_from(["{:d}", "0x{:x}", "0{:o}"]))
def test_no_other_spelling_of_an_address_passes(
    address: ipaddress.IPv4Address, spelling: str
) -> None:
    with pytest.raises(AddressRefused):
        vet_url(f"http://{spelling.format(int(address))}/")


def test_the_sandbox_s_own_address_is_no_way_in() -> None:
    with pytest.raises(AddressRefused):
        vet_url(f"http://{SANDBOX_ADDRESS}/")


def test_the_sandbox_speaks_dns_on_the_same_host_and_port() -> None:
    route = SandboxRoute.from_url("http://localhost:9400/")
    assert route == SandboxRoute("127.0.0.1", 9400, "127.0.0.1", 9400)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:9400",
        "https://127.0.0.1:9400",
        "http://sandbox:9400",
        "http://127.0.0.1",
        "http://127.0.0.1:9400/x",
        "http://127.0.0.1:x",
    ],
)
def test_a_malformed_sandbox_address_is_a_settings_error(url: str) -> None:
    with pytest.raises(SettingsError):
        SandboxRoute.from_url(url)
