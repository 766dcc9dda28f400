"""The company's logo: the picture that the page treats as its own sign."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote, urlsplit

from glaze.model.text import fold
from glaze.model.value import Reading
from glaze.providers.website.document import Document, Image

_PICTURE, _ICON, _AVATAR = 76, 55, 50
_ENOUGH = 3.0
_STATED = 4.0
_BAD = re.compile(
    r"partner|client|customer|sponsor|award|badge|certif|member|payment|visa|mastercard|paypal|app-?store|google-?play|avatar|author|testimonial"
    r"|sprite|spinner|loading|placeholder|facebook|twitter|linkedin|instagram|youtube|tiktok|pinterest|flag|hamburger|search|close|arrow|trustpilot|cookie|onetrust|powered"
)

# Where the logos of others hang side by side.
_WALL = re.compile(r"logos(?![a-z])|logo[-_]?(?:grid|wall|cloud|strip|list|slider|ticker|row|item)")


def logo_readings(document: Document, labels: Iterable[str]) -> Iterator[Reading]:
    """Yield the likeliest logo of the page's pictures, else its icon at low confidence."""
    known = {label for label in labels if len(label) > 2}  # noqa: PLR2004  two letters are anywhere
    scored = sorted(
        (
            (_points(image, known) + _in_state(image, document.state_logos), -image.order, image)
            for image in document.images
        ),
        key=lambda entry: entry[:2],
        reverse=True,
    )
    if scored and scored[0][0] >= _ENOUGH:
        image = scored[0][2]
        quote = f"{image.alt} {image.url}".strip()
        yield from document.reading("company_logo_url", image.url, _PICTURE, quote)
        return
    yield from _without_picture(document)


def _without_picture(document: Document) -> Iterator[Reading]:
    """Yield what the head names: a logo, a shared picture that is one, an icon."""
    stated = document.meta("og:logo")
    if stated and (address := document.absolute(stated)):
        yield from document.reading("company_logo_url", address, _PICTURE, stated)
        return
    picture = document.meta("og:image")
    address = document.absolute(picture) if "logo" in urlsplit(picture).path.lower() else ""
    if address:
        yield from document.reading("company_logo_url", address, _ICON + 5, picture)
        return
    if document.on_platform:  # its icons are the platform's; who publishes there shows a picture
        for image in document.images[:1]:
            if "header" in image.places:
                yield from document.reading("company_logo_url", image.url, _AVATAR, image.url)
        return
    for rel in ("apple-touch-icon", "apple-touch-icon-precomposed", "icon", "shortcut icon"):
        for address in document.rels.get(rel, ())[:1]:
            yield from document.reading("company_logo_url", address, _ICON, address)
            return


def _in_state(image: Image, logos: set[str]) -> float:
    """Return what it says for a picture that the page's own state calls it the logo."""
    return _STATED * (urlsplit(image.url).path.rpartition("/")[2] in logos)


def _points(image: Image, labels: set[str]) -> float:
    name = unquote(urlsplit(image.url).path.rpartition("/")[2]).lower()
    alt, hint = fold(image.alt).replace(" ", ""), image.hint.lower()
    called = fold(name).replace(" ", "")
    points = 0.0
    points += 3.0 * image.leads_home
    points += 2.5 * ("logo" in hint)
    points += 2.0 * ("logo" in name)
    points += 0.7 * ("logo" in alt)
    points += 2.0 * ("header" in image.places) - 0.8 * (
        "footer" in image.places and "header" not in image.places
    )
    points += 1.5 * any(label in alt or label in called for label in labels)
    points += 2.5 * (alt in labels)
    points -= 3.0 * bool(_BAD.search(f"{name} {image.alt.lower()} {hint}"))
    points -= 3.0 * bool(_WALL.search(hint))
    points -= 3.0 * ("partner" in image.places) + 2.0 * bool(image.places & {"article", "person"})
    points -= 0.06 * min(image.order, 30)
    return points
