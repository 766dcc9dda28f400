"""Redaction: secrets and personal data are masked before anything is logged."""

import math
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from glaze.model.value import Json

SECRET, EMAIL, PHONE, PERSON = "[secret]", "[email]", "[phone]", "[person]"

_LONGEST_TEXT = 20_000
_DEEPEST = 8
_SHORTEST_SECRET = 6
_LONG_SECRET = 12
_SHORTEST_NAME = 3
_MOST_LEARNED = 1000

_TOLD_BY = (  # words before a secret
    "password|passwd|passphrase|pwd|secret|token|api[_-]?key|apikey|access[_-]?key|private[_-]?key"
    "|authorization|credentials?|cookie|signature|dsn|database_url"
)
_SECRET_KEY = re.compile(rf"(?:^|[_.-])(?:{_TOLD_BY})$|^key$", re.IGNORECASE)
_PERSONAL_KEY = re.compile(
    r"(?:^|[_.-])(?:e?mails?|mail_address|phones?|phone_numbers?|telephone|mobile|fax)$"
    r"|^(?:person|contact|lead|user|first|last|full|given|family|middle|display)?_?(?:full_|first_|last_)?name$"
    r"|^(?:surname|forename|contact|person|subjects?|birthday|date_of_birth)$"
    r"|^(?:person_)?linkedin(?:_url|_profile)?$|^person_(?!title$|seniority$|department$)\w+$",
    re.IGNORECASE,
)

# What looks like one of these is masked wherever it stands. Every repetition is bounded, for the
# text may be anybody's.
_PATTERNS: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r"(://[^\s:/@]{0,256}):[^\s/]{1,256}@"), rf"\1:{SECRET}@"),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{6,4096}", re.IGNORECASE), rf"\1 {SECRET}"),
    (
        re.compile(
            rf"((?:{_TOLD_BY})[\"']?\s{{0,3}}[=:]\s{{0,3}}[\"']?)(?!(?:bearer|basic)\s|\[secret\])"
            r"[^\s\"'&,;}\])]{1,4096}",
            re.IGNORECASE,
        ),
        rf"\1{SECRET}",
    ),
    (re.compile(r"\beyJ[\w-]{8,2048}\.[\w-]{4,4096}(?:\.[\w-]{4,1024})?"), SECRET),
    (re.compile(r"\b(?:sk|pk|rk|whsec|ghp|gho|xox[abp])[-_][\w-]{12,256}"), SECRET),
    (re.compile(r"\bAKIA[0-9A-Z]{16}\b"), SECRET),
    (re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"), EMAIL),
    (re.compile(r"(linkedin\.com/(?:in|pub)/)[^\s/\"'?#&]{1,256}", re.IGNORECASE), rf"\1{PERSON}"),
    (re.compile(r"(?<![\w.+])(?:\+|00)\d(?:[ ().\-/]{0,2}\d){6,14}(?!\w)"), PHONE),
    (re.compile(r"(?<![\w.-])(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}(?![\w-])"), PHONE),
    (re.compile(r"(?<![\w.:-])\(?0\d{1,4}\)?[ /-]\d(?:[ -]?\d){6,9}(?![\w:-])"), PHONE),
)


class Redactor:
    """Masks secrets and personal data in what is said of a job, and in every log line."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Mask ``secrets`` literally wherever they stand, besides what looks like one."""
        self._known = [secret for secret in secrets if len(secret) >= _SHORTEST_SECRET]
        self._learned: OrderedDict[str, None] = OrderedDict()
        self._compile()

    def learn(self, secret: str) -> None:
        """Mask ``secret``, too, from now on; the last 1,000 that were learned are."""
        if len(secret) < _SHORTEST_SECRET:
            return
        new = secret not in self._learned
        self._learned[secret] = None
        self._learned.move_to_end(secret)
        if len(self._learned) > _MOST_LEARNED:
            self._learned.popitem(last=False)
        if new:
            self._compile()

    def _compile(self) -> None:
        known = [*self._known, *self._learned]
        self._literal = re.compile(_literal(known)) if known else None

    def text(self, text: str, args: object = None) -> str:
        """Return ``text`` with what is secret or personal masked, cut at 20,000 characters.

        ``args`` are the arguments of the job on whose behalf it was said: the personal values in
        them are masked wherever they stand, names included.
        """
        return self._texts(args)(text)

    def facts(self, facts: Mapping[str, object], args: object = None) -> dict[str, Json]:
        """Return ``facts`` as plain JSON with what is secret or personal masked, by key and by form.

        Values of no JSON type become text. ``args`` as in ``text``.
        """
        texts = self._texts(args)
        return {texts(str(key)): _masked(str(key), value, texts) for key, value in facts.items()}

    def _texts(self, args: object) -> "_Texts":
        people = _people(args)

        def masked(text: str) -> str:
            if len(text) > _LONGEST_TEXT:
                text = text[:_LONGEST_TEXT] + "…"
            if self._literal is not None:
                text = self._literal.sub(SECRET, text)
            for pattern, mask in _PATTERNS:
                text = pattern.sub(mask, text)
            return people.sub(PERSON, text) if people else text

        return masked


_Texts = Callable[[str], str]


def is_personal(key: str) -> bool:
    """Tell whether a field or column of this name holds a person's data."""
    return _PERSONAL_KEY.search(key) is not None


def _masked(key: str, value: object, texts: _Texts, depth: int = 0) -> Json:
    if value is None or isinstance(value, bool):
        return value
    if _SECRET_KEY.search(key):
        return SECRET
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return "…" if depth >= _DEEPEST else _parts_masked(key, value, texts, depth + 1)
    if is_personal(key):
        return PERSON
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return texts(str(value))


def _parts_masked(
    key: str, parts: Mapping[object, object] | Iterable[object], texts: _Texts, depth: int
) -> Json:
    if isinstance(parts, Mapping):
        return {texts(str(k)): _masked(str(k), v, texts, depth) for k, v in parts.items()}
    return [_masked(key, one, texts, depth) for one in parts]


def _people(args: object) -> re.Pattern[str] | None:
    """Return what finds the personal values among a job's arguments, None where there are none."""
    found = {one for one in _personal_values("", args) if len(one) >= _SHORTEST_NAME}
    return re.compile(rf"(?<!\w)(?:{_any_of(found)})(?!\w)", re.IGNORECASE) if found else None


def _personal_values(key: str, value: object, depth: int = 0) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from _personal_values(str(name), one, depth + 1)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _personal_values(key, one, depth + 1)
    elif isinstance(value, str) and is_personal(key):
        yield value.strip()
        yield from value.split()  # a first or a last name alone is the person's, too


def _literal(secrets: Sequence[str]) -> str:
    """Match long secrets anywhere, and short ones as words: a password may be `postgres`."""
    long = [secret for secret in secrets if len(secret) >= _LONG_SECRET]
    words = [secret for secret in secrets if len(secret) < _LONG_SECRET]
    parts = [_any_of(long)] if long else []
    return "|".join([*parts, rf"(?<!\w)(?:{_any_of(words)})(?!\w)"] if words else parts)


def _any_of(texts: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(texts, key=len, reverse=True)))  # one may begin another
