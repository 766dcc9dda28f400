"""What a sentence tells of somebody else: a parent, a partner, a customer of the subject's (E11).

A sentence says of a bystander what it is to the subject: "our parent Globex". What its clause goes
on to say is told of that one, until it comes back to "we" and "our". It counts where the bystander
begins the clause, is called by its name, has the thing ("the staff of our clients") or is one of a
list ("competitors such as"). "We offer our customers 50 experts" is told of us.
"""

import re
from collections.abc import Collection

from glaze.model.field import FieldType, known_field
from glaze.model.names import company_key
from glaze.model.value import FieldName

_NAME = r"(?-i:(?:the |la |le |l'|die |der |das )?[A-ZÀ-ÖØ-Þ])"
_PARENT = (
    r"(?:(?:parent|mother) (?:company|firm|group)|mutter(?:gesellschaft|konzern|firma)"
    r"|maison[ -]mère|société[ -]mère|(?:empresa |sociedad )matriz)"
)
_MANY = (
    r"(?:partners|customers|clients|competitors|rivals|suppliers|vendors|investors|subsidiaries"
    r"|affiliates|sponsors|resellers|kunden|\w*partnern|mandanten|lieferanten|investoren"
    r"|wettbewerbern?|partenaires|concurrents|fournisseurs|filiales|clientes|socios|competidores"
    r"|proveedores)"
)
_ENGLISH = (
    r"(?:parent|partner|customer|client|competitor|rival|supplier|vendor|investor|subsidiary"
    r"|affiliate|sponsor|reseller)(?: (?:company|firm))?"
)
# Ours are "our customer service" and "Our Partner Network": the bystander is named in small
# letters before its name, goes on with a verb, or ends there.
_ONE = (
    rf"(?:(?-i:{_ENGLISH})(?=\s+{_NAME})|{_ENGLISH}(?=\s*(?:[,:;.()!?]|- |$)|\s+(?:is|was|has|had|in"
    r"|at|with|of|and|who|which|that|employ\w*|operat\w+|sells?|makes?|based|founded|began)\b)"
    r"|kundin|kunde|mandant|lieferant|tochter(?:gesellschaft|unternehmen|firma)|mutterunternehmen"
    r"|partenaire|concurrent|fournisseur|filiale|cliente|soci[oa]|competidor|proveedor|filial"
    r"|(?<=unser )\w*partner|(?<=unser[emn] )\w*partner)"
)
_OURS = r"(?:our|its|their|unser\w*|notre|nos|nuestr[oa]s?)"
_KIND = r"(?:(?!(?:with|for|of|to|and|by|in|from|at|as|own|service)\b)[\w-]+ )?"  # our new client
_BYSTANDER = (
    rf"\b(?:{_OURS} {_KIND}(?:{_PARENT}|{_MANY}|{_ONE})|(?:the|die|la) {_PARENT})(?![\w'-])"
)
_NAMED = (
    rf"\b(?!unsere[nr]? kunden)(?:{_OURS}|the) {_KIND}(?:{_PARENT}|{_MANY}|{_ONE}),?\s+(?={_NAME})"
)
_BEGINS = (
    r"(?:^\W*|(?:[.!?;:,(|]| -)\s*|\b(?:and|but|while|whereas|und|aber|während|et|mais|y|pero)\s+)"
)
_HAS = r"(?:(?<!\S)\S+ \S+ )?\b(?:(?:of|at|by|bei|von|de|chez|par|por) |(?=unserer |unseres ))"
_WHOSE = (
    r"\b(?:(?:subsidiary|division|affiliate|unit|brand|branch|member|customer|client|partner|part"
    r"|supplier|competitor|\w*tochter\w*|teil|filiale|filial|parte|membre|miembro)"
    r" (?:of|von|der|des|de|du)|(?:owned|acquired|bought|backed|taken over) by|belongs to"
    rf"|gehört zur?m?|appartient à|pertenece a)\s+(?:the |la |l'|a )?(?={_NAME})"
)
_ANYBODY = (
    r"(?<!group of )(?<!of the )(?<!our )\b(?:companies|businesses|teams|organi[sz]ations|firms"
    r"|enterprises|startups|entreprises|empresas)(?=(?: [^\s\d,;]+){1,4} \d)"
    r"|\b(?:für|von|beraten|unterstützen) (?:\w+ )?(?:unternehmen|firmen|betriebe|teams)"
    r"(?= (?:mit|ab)\b)"
    r"|\b(?:your|votre|tu|ihr|ihre) (?:company|business|team|firm|unternehmen|firma|betrieb|entreprise"
    r"|empresa|equipo)(?= (?:has|have|is|was|with|employs|grows|hat|mit|a|est|avec|tiene|con)\b)"
    r"|\byou (?:will|would|can) (?:lead|manage|join)\b"
    r"|\b(?:a|one|another) (?:client|customer)(?= (?:reach|gr[eo]w|has|had|is|was|with|who|that|in)\b)"
    r"|\b(?:market|industry|sector)(?='s|,? (?:has|had|is|was|reached|revenue|sales|turnover)\b)"
)
_LIST = r"(?:,? (?:such as|like|includ\w+|are|wie|darunter|comme|tels que|como|incluyen)\b)"
_ABOUT_ANOTHER = re.compile(
    rf"(?:{_BEGINS}|{_HAS}){_BYSTANDER}|{_NAMED}|{_WHOSE}|{_ANYBODY}|\b{_MANY}(?={_LIST})"
    rf"|{_BEGINS}{_MANY}(?=\s?:)",
    re.IGNORECASE,
)
_LISTED = re.compile(rf"{_LIST}|\s?:", re.IGNORECASE)
_ABOUT_A_NAMED = re.compile(_NAMED, re.IGNORECASE)
_STAFF_OF_ANOTHER = re.compile(
    rf"(?P<has>\b(?:of|at|bei|von|de|chez) ){_NAMED}"
    rf"|\b{_OURS} {_KIND}(?:(?-i:customer|client)|kundin|kunde|cliente)\s+(?={_NAME})",
    re.IGNORECASE,
)
_ROLE_AT = re.compile(
    r"\b(?:(?:CEO|CTO|CFO|COO|CMO|(?:co-?)?founder|owner|managing director|head|director|manager|VP"
    r"|officer|president|geschäftsführer(?:in)?|gründer(?:in)?|inhaber(?:in)?|leiter(?:in)?|PDG"
    r"|fondat\w+|gérante?|direct\w+|gerente|fundador\w?)\b[^,.;:!?]{0,30}? (?:at|bei|chez|@)"
    r"|(?:CEO|CTO|CFO|COO|CMO|(?:co-?)?founder|owner|managing director) of"
    r"|(?:geschäftsführer|gründer|inhaber)(?:in)? (?:von|der)|(?:PDG|gérante?|fondat\w+) de"
    r"|(?:gerente|fundador\w?) de) (?:the |der |la |l')?"
    r"(?P<at>(?-i:[A-ZÀ-ÖØ-Þ][\w&.'-]*(?: (?:&|[A-ZÀ-ÖØ-Þ][\w&.'-]*))*))",
    re.IGNORECASE,
)
# A clause whose subject is a company by its name, and what is said of that one alone.
_GENERIC = (
    r"(?:our|we|us|i|it|this|that|these|they|he|she|who|which|what|in|since|by|with|today|now|currently|here|there|all|each"
    r"|founded|established|company|firm|business|group|agency|team|studio|staff|management|headquarters|organi[sz]ation|brand"
    r"|shop|store|school|hotel|restaurant|practice|clinic|office|hospital|university|church|bank|factory|foundation|institute|family"
    r"|wir|unser\w*|er|sie|es|dies\w*|heute|hier|seit|im|unternehmen|firma|betrieb|gesellschaft|agentur|gruppe|haus|büro|kanzlei"
    r"|praxis|nous|notre|nos|il|elle|depuis|aujourd'hui|entreprise|société|agence|groupe|maison|équipe|nuestr\w*|ella|la|hoy|desde"
    r"|empresa|sociedad|grupo|equipo)"
)
_SAID_OF_IT = (
    r"(?:(?:was|is|has been) (?:\w+ly )?(?:founded|established|started|formed|created|incorporated)"
    r"|(?:has|have|had|employs?|employed|counts|reported|generated|posted|made)(?= (?:[^\s\d,;]+ ){0,3}[$€£]?\d)"
    r"|wurde(?=[^,.;]{0,40} gegründet)|(?:beschäftigt|hat|zählt|erzielt\w*)(?= (?:[^\s\d,;]+ ){0,3}\d)"
    r"|a été (?:fondée?|créée?)|(?:emploie|compte|a réalisé)(?= (?:[^\s\d,;]+ ){0,3}\d)"
    r"|(?:fue|se) (?:fund\w+|cre\w+)|(?:emplea|cuenta con|facturó)(?= (?:[^\s\d,;]+ ){0,3}\d))"
)
_ARTICLE = r"(?:(?:the|die|der|das|la|le|el)\s+|l')?"
_WHO_IS_IT = re.compile(
    rf"(?:^\W*|[.!?;]\s+)(?!{_ARTICLE}{_GENERIC}\b){_ARTICLE}"
    r"(?P<who>(?-i:[A-ZÀ-ÖØ-Þ])[\w&.'-]*(?: (?:&|(?-i:[A-ZÀ-ÖØ-Þ])[\w&.'-]*)){0,4})"
    rf"\s+{_SAID_OF_IT}\b",
    re.IGNORECASE,
)
_BACK = re.compile(
    r"\b(?:we|us|ours?|i|my|wir|uns|unser\w*|nous|notre|nos|nosotros|nuestr\w+)\b"
    r"|\bby(?= (?:an?|over|about|more|\d))",
    re.IGNORECASE,
)
_APPOSED = re.compile(r"[^,.;:!?]{0,40},[^,.;:!?]{1,80},(?!\s+and\b)")
_END_OF_SENTENCE = re.compile(r"[;!?。]|\.(?=\s+[^a-z\d]|$)")
_END_OF_CLAUSE = re.compile(rf",(?!\d)|[:)]|{_END_OF_SENTENCE.pattern}")

_SHORTEST_WORD = 3  # letters that say whose a name is

# Where one delivers, flies or was born is nobody's address.
_ELSEWHERE = re.compile(
    r"\b(?:(?:deliver\w*|ship(?:s|ped|ping)?|export\w*|flights?|fly|travel|trips?)\b[^,;.!?]{0,30}? to"
    r"|(?:livr\w+|envi\w+|export\w+)\b[^,;.!?]{0,20}? (?:à|en|a)"
    r"|(?:liefer\w*|versand|versenden|reisen)\b[^,;.!?]{0,20}? (?:nach|in)"
    r"|(?:born|studied|graduated|geboren|studiert\w*|née?|nacid[ao])\b[^,;.!?]{0,30}? (?:in|at|à|en)"
    r"|(?:trade show|trade fair|fair|messe|conference|exhibition|salon|feria) (?:in|at|à|en)) ",
    re.IGNORECASE,
)
_ENDS_ELSEWHERE = re.compile(rf"\bfrom\b|{_BACK.pattern}", re.IGNORECASE)
_PLACES = frozenset(
    f"{kind}_{what}" for kind in ("company", "person") for what in ("city", "region", "country")
)

_OF_A_COMPANY = ("company_founded_", "company_employee_", "company_revenue", "company_funding_")

_OWNERS = frozenset({"company_parent"})
_PERSONS = frozenset({"person_full_name", "person_first_name", "person_last_name"})
_REACHED = frozenset({FieldType.EMAIL, FieldType.PHONE, FieldType.URL, FieldType.DOMAIN})


def of_others(field: FieldName, text: str, ours: Collection[str] = ()) -> list[tuple[int, int]]:
    """Return the spans of ``text`` that are told of somebody else, as far as ``field`` goes.

    ``ours`` is what the subject's company is known by: names and domains. Who is "CEO at Initech"
    is another company's where that is none of them, and so is when "Initech was founded"; where none
    is known, nobody can tell.

    >>> text = "Our parent Globex was founded in 1998, we in 2004"
    >>> [text[start:end] for start, end in of_others(FieldName("company_founded_year"), text)]
    ['Our parent Globex was founded in 1998']
    """
    found = _of_somebody(field, text, ours)
    if field in _PLACES:
        found += [_there(text, place.end()) for place in _ELSEWHERE.finditer(text)]
    return found


def _there(text: str, start: int) -> tuple[int, int]:
    end = _until(_END_OF_SENTENCE, text, start)
    return start, _until(_ENDS_ELSEWHERE, text, start, end)


def _of_somebody(field: FieldName, text: str, ours: Collection[str]) -> list[tuple[int, int]]:
    if field in _PERSONS:
        return [
            *(_staff(text, found) for found in _STAFF_OF_ANOTHER.finditer(text)),
            *(
                _sentence(text, found)
                for found in _ROLE_AT.finditer(text)
                if ours and not _is_ours(found["at"], ours)
            ),
        ]
    if field in _OWNERS or field.startswith("person_"):
        return []  # the owner is what is asked; and whoever works at a partner does
    if known_field(field).type in _REACHED:  # "our partner Globex: info@globex.com"
        return [_rest(text, found) for found in _ABOUT_A_NAMED.finditer(text)]
    told = [*_ABOUT_ANOTHER.finditer(text)]
    if ours and field.startswith(_OF_A_COMPANY):
        told += [one for one in _WHO_IS_IT.finditer(text) if not _is_ours(one["who"], ours)]
    return [(found.start(), _end(text, found)) for found in told]


def _staff(text: str, found: re.Match[str]) -> tuple[int, int]:
    """Return the rest of the sentence, the whole of it around "the CEO of our partner"."""
    start, end = _sentence(text, found)
    return start if found["has"] else found.start(), end


def _sentence(text: str, found: re.Match[str]) -> tuple[int, int]:
    ends = (one.end() for one in _END_OF_SENTENCE.finditer(text, 0, found.start()))
    return max(ends, default=0), _until(_END_OF_SENTENCE, text, found.end())


def _is_ours(name: str, ours: Collection[str]) -> bool:
    """Tell whether a company's name shares a word or the initials with one of ``ours``."""
    words = company_key(name).split()
    joined, initials = "".join(words), "".join(word[0] for word in words)
    for own in ours:
        known = company_key(own.rpartition(".")[0] or own)
        run = known.replace(" ", "")
        if initials == run or "".join(word[0] for word in known.split()) == joined:
            return True
        if run in joined or any(len(word) >= _SHORTEST_WORD and word in run for word in words):
            return True
    return not words


def _rest(text: str, found: re.Match[str]) -> tuple[int, int]:
    """Return the rest of the sentence, or until it comes back to the subject."""
    end = _until(_END_OF_SENTENCE, text, found.end())
    return found.start(), _until(_BACK, text, found.end(), end)


def _end(text: str, found: re.Match[str]) -> int:
    """Return where the clause ends or comes back to the subject; a list is as long as its sentence."""
    start = found.end()
    ends = _END_OF_SENTENCE if _LISTED.match(text, start) else _END_OF_CLAUSE
    if aside := _APPOSED.match(text, start):
        start = aside.end()
    return _until(_BACK, text, found.end(), _until(ends, text, start))


def _until(what: re.Pattern[str], text: str, start: int, end: int | None = None) -> int:
    """Return where ``what`` next stands in ``text[start:end]``, else its end."""
    end = len(text) if end is None else end
    found = what.search(text, start, end)
    return found.start() if found else end
