"""Fetched text on its way to a language model: passages that address the model are cut out."""

import re
import unicodedata

CUT = "[passage left out]"
"""What stands in place of a passage that was cut: it supports nothing."""

_LINES_AFTER = 2  # an instruction tends to go on below its opening line
_LONGEST_LINE = 1_000
_BEFORE, _AFTER = 200, 600  # characters cut around a hit in a longer line

# Each says by itself that the reader is meant to be a machine that obeys.
_ADDRESSED = re.compile(
    r"""
      \b(?:ignore|disregard|forget|override|bypass|skip)\b[^.\n]{0,60}
        \b(?:instructions?|prompts?|directions?|guidelines|rules|system\ message|context|schema
           |previous|prior|above|earlier)\b
    | \b(?:ignoriere|ignorier|vergiss|missachte)\w*\b[^.\n]{0,60}\b(?:anweisung|instruktion|vorgabe|regel)
    | \b(?:ignore[zr]?|oublie[zr]?)\b[^.\n]{0,60}\b(?:instruction|consigne|directive)
    | \b(?:ignora|ignore|olvida|dimentica|esquece|negeer|vergeet)\w*\b[^.\n]{0,60}
        \b(?:instruc|istruzion|instruç|instructie|aanwijzing|reglas|regole|regras)
    | \b(?:new|updated|real|actual|secret|hidden|system|developer)\ (?:system\ )?
        (?:instructions?|prompts?)\b
    | \b(?:system|developer|assistant)\s*(?:prompt|message|override)\b
    | \byou\ are\ (?:now\ |actually\ )?(?:an?|the)\ (?:\w+\ ){0,3}
        (?:ai|a\.i\.|assistant|llm|language\ model|chatbot)\b
    | \b(?:if\ you\ are|dear|attention|attn|note\ to|notice\ to|message\ (?:to|for)|hey|hello
         |instructions?\ (?:to|for))\b[^.\n]{0,24}
        \b(?:ai|a\.i\.|llms?|language\ models?|chatgpt|gpt(?:-?\d)?|claude|gemini|copilot|bots?
           |crawlers?|scrapers?|ai\ (?:agents?|assistants?|models?))\b
    | \bas\ an?\ (?:ai|llm|large\ language|language)\ (?:assistant|agent|model)\b
    | \b(?:llms?|language\ models?|chatgpt|claude|gemini|bots|crawlers|scrapers
         |ai\ (?:agents?|assistants?|models?))\b[,:]?\s+
        (?:must|should|shall|please|are\ (?:required|instructed)|need\ to|have\ to)\b
    | \b(?:answer|respond|reply|output)\b[^.\n]{0,30}
        \b(?:only\ with|exactly|instead|verbatim|json|as\ the\ value|this\ value)\b
    | \b(?:company|person)_[a-z]+(?:_[a-z]+)?\b
    | "\s*(?:answers|page_url|quote)"\s*:
    | <\|?\s*/?\s*(?:im_start|im_end|system|assistant|user|endoftext|page|pages|document|tool)\b[^>]*>?
    | \[/?(?:inst|sys)\]|<</?sys>>
    | (?:^[^\w\n]*|[.!?>]\s[^\w\n]*)(?:system|assistant|instructions?|human|user)\s*(?:\*\*)?\s*:
    | \bdo\ anything\ now\b|\bjailbreak\b|\bprompt\ injection\b
    """,
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
# Letters that look like ASCII ones, as used to slip past a word list.
_LOOKALIKES = str.maketrans(
    "аеорсухіјѕԁӏАВСЕНІЈКМОРЅТХУΑΒΕΙΟΡΤ",  # noqa: RUF001  that they look alike is the point
    "aeopcyxijsdlABCEHIJKMOPSTXYABEIOPT",
)
_HIDDEN = re.compile(
    "[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff\U000e0000-\U000e007f]"
)


def without_instructions(text: str) -> tuple[str, int]:
    """Return ``text`` without passages that address a language model, and how many were cut.

    A passage is the line that addresses the model and the two lines after it; of a line longer
    than 1,000 characters, what stands around. Invisible characters go, for they hide such text.
    This is a net with a certain mesh, not a wall: what slips through must still pass
    ``model/evidence.py``, and the model has no tools and no secrets to misuse.
    """
    lines = _HIDDEN.sub("", text).splitlines()
    kept: list[str] = []
    cut = 0
    skip = 0
    for line in lines:
        spans = [found.span() for found in _ADDRESSED.finditer(_plain(line))]
        if spans:
            cut += 1
        if spans and len(line) <= _LONGEST_LINE:
            kept.append(CUT)
            skip = _LINES_AFTER
        elif spans:
            kept.append(_without(line, spans))
            skip = 0
        elif skip and line.strip():
            skip -= 1
        else:
            kept.append(line)
    return "\n".join(kept), cut


def _plain(line: str) -> str:
    """Return ``line`` as a reader sees it, of the same length, so that places stay places."""
    folded = line.translate(_LOOKALIKES)
    same = (unicodedata.normalize("NFKC", char) for char in folded)
    return "".join(new if len(new) == 1 else old for new, old in zip(same, folded, strict=True))


def _without(line: str, spans: list[tuple[int, int]]) -> str:
    pieces = []
    done = 0
    for start, end in spans:
        if start - _BEFORE > done:
            pieces.append(line[done : start - _BEFORE])
        pieces.append(CUT)
        done = max(done, end + _AFTER)
    return " ".join([*pieces, line[done:]])
