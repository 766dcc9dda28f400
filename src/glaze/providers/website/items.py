"""Microdata, RDFa and hCard, read into the shape that JSON-LD has."""

from collections.abc import Callable
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from glaze.model.text import clean

_MAX_ITEMS = 300
_MAX_PROPERTIES = 3_000
_MAX_CLIMB = 40
_MAX_VALUE = 2_000
_ADDRESSES = {"a": "href", "link": "href", "area": "href", "img": "src", "meta": "content"}
_MICRODATA = ("itemscope", "itemtype", "itemprop")
_RDFA = ("typeof", "typeof", "property")
_CARD_PARTS = {
    "street-address": "streetAddress",
    "p-street-address": "streetAddress",
    "extended-address": "extendedAddress",
    "post-office-box": "postOfficeBoxNumber",
    "locality": "addressLocality",
    "p-locality": "addressLocality",
    "region": "addressRegion",
    "p-region": "addressRegion",
    "postal-code": "postalCode",
    "p-postal-code": "postalCode",
    "country-name": "addressCountry",
    "p-country-name": "addressCountry",
}
_CARD_FACTS = {
    "tel": "telephone",
    "p-tel": "telephone",
    "email": "email",
    "u-email": "email",
    "logo": "logo",
    "u-logo": "logo",
    "note": "description",
    "p-note": "description",
}

Item = dict[str, Any]


def embedded_items(tree: LexborHTMLParser, absolute: Callable[[str], str]) -> list[Item]:
    """Return the page's top-level items, each as the JSON-LD object it amounts to."""
    found = _scoped(tree, _MICRODATA, absolute)
    if tree.css_first("[typeof][vocab],[vocab] [typeof],[typeof*='schema:']"):
        found += _scoped(tree, _RDFA, absolute)
    found += [
        item for node in tree.css(".vcard,.h-card")[:_MAX_ITEMS] if (item := _card(node, absolute))
    ]
    return found


def _scoped(
    tree: LexborHTMLParser, names: tuple[str, str, str], absolute: Callable[[str], str]
) -> list[Item]:
    scope, kind, prop = names
    nodes = tree.css(f"[{scope}]")[:_MAX_ITEMS]
    items: dict[int, Item] = {
        node.mem_id: {"@type": _type(node.attributes.get(kind))} for node in nodes
    }
    tops = {node.mem_id for node in nodes if prop not in node.attributes}
    for node in tree.css(f"[{prop}]")[:_MAX_PROPERTIES] if items else ():
        owner = _owner(node, items)
        if owner is None:
            continue
        value = items.get(node.mem_id) or _value(node, absolute)
        for name in (node.attributes.get(prop) or "").split()[:5]:
            _put(owner, name.rpartition(":")[2].rpartition("/")[2], value)
    return [items[one] for one in items if one in tops]


def _type(text: str | None) -> str:
    return (text or "").split(" ")[0].rstrip("/").rpartition("/")[2].rpartition(":")[2]


def _owner(node: LexborNode, items: dict[int, Item]) -> Item | None:
    parent = node.parent
    for _ in range(_MAX_CLIMB):
        if parent is None:
            return None
        if parent.mem_id in items:
            return items[parent.mem_id]
        parent = parent.parent
    return None


def _value(node: LexborNode, absolute: Callable[[str], str]) -> str:
    given = node.attributes
    if stated := given.get("content") or given.get("datetime"):
        return clean(stated[:_MAX_VALUE])
    tag = node.tag or ""
    link = (given.get(_ADDRESSES.get(tag, "")) or "")[:_MAX_VALUE]
    if tag == "a" and link.lower().startswith(("tel:", "mailto:")):
        return link.partition(":")[2].partition("?")[0]
    if link:
        return absolute(link)
    return clean(node.text(separator=" ")[:_MAX_VALUE])


def _put(item: Item, name: str, value: object) -> None:
    if not name or not value:
        return
    if name not in item:
        item[name] = value
    elif isinstance(item[name], list):
        item[name].append(value)
    else:
        item[name] = [item[name], value]


def _card(card: LexborNode, absolute: Callable[[str], str]) -> Item | None:
    """Return an organisation's hCard; None for a person's, or one that says nothing more."""
    name = _first_text(card, ".fn,.p-name")
    org = _first_text(card, ".org,.p-org,.organization-name")
    address: Item = {"@type": "PostalAddress"}
    item: Item = {"@type": "Organization", "name": org or name}
    for node in card.css("[class]")[:200]:
        words = (node.attributes.get("class") or "").split()
        # An element may carry the names of both versions, "street-address p-street-address".
        for part in dict.fromkeys(_CARD_PARTS[word] for word in words if word in _CARD_PARTS):
            _put(address, part, clean(node.text(separator=" ")[:300]))
        for fact in dict.fromkeys(_CARD_FACTS[word] for word in words if word in _CARD_FACTS):
            if not _is_fax(node):
                _put(item, fact, _value(node, absolute))
    if len(address) > 1:
        item["address"] = address
    is_person = bool(name and org and name != org) or not (org or len(address) > 1)
    says_more = item.keys() - {"@type", "name"}
    return item if says_more and not is_person else None


def _is_fax(node: LexborNode) -> bool:
    kind = node.css_first(".type,.value-title")
    return "fax" in f"{node.attributes.get('class')} {kind.text() if kind else ''}".lower()


def _first_text(node: LexborNode, selector: str) -> str:
    found = node.css_first(selector)
    return clean(found.text(separator=" ")[:300]) if found else ""
