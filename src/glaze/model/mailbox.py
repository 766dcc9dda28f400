"""E-mail addresses: their canonical form, and what kind of mailbox they lead to."""

import re
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

from glaze.model.web_address import registrable

# The common form needs no parser; anything else goes to the full grammar.
_PLAIN = re.compile(
    r"[A-Za-z0-9_%+-]+(?:\.[A-Za-z0-9_%+-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
_MAX_ADDRESS, _MAX_LOCAL = 254, 64  # RFC 5321, section 4.5.3.1
_IN_BRACKETS = re.compile(r"<([^<>]+)>\s*$")

FREE_MAIL = frozenset(
    """
    gmail.com googlemail.com yahoo.com ymail.com rocketmail.com yahoo.co.uk yahoo.co.in yahoo.fr
    yahoo.de yahoo.it yahoo.es yahoo.ca yahoo.com.br yahoo.com.au yahoo.co.jp hotmail.com
    hotmail.co.uk hotmail.fr hotmail.de hotmail.it hotmail.es outlook.com outlook.de outlook.fr
    outlook.es live.com live.co.uk live.fr live.nl live.de msn.com passport.com aol.com aim.com
    icloud.com me.com mac.com proton.me protonmail.com protonmail.ch pm.me tutanota.com tuta.io
    tuta.com gmx.com gmx.net gmx.de gmx.at gmx.ch web.de t-online.de freenet.de arcor.de posteo.de
    mailbox.org mail.com email.com usa.com zoho.com zohomail.com yandex.com yandex.ru ya.ru mail.ru
    bk.ru inbox.ru list.ru rambler.ru fastmail.com fastmail.fm hey.com hushmail.com lycos.com
    inbox.com orange.fr wanadoo.fr free.fr laposte.net sfr.fr neuf.fr libero.it virgilio.it tin.it
    alice.it tiscali.it bluewin.ch hispeed.ch telenet.be skynet.be ziggo.nl kpnmail.nl planet.nl
    hetnet.nl home.nl xs4all.nl btinternet.com btopenworld.com sky.com virginmedia.com ntlworld.com
    talktalk.net blueyonder.co.uk comcast.net verizon.net att.net sbcglobal.net bellsouth.net
    cox.net charter.net earthlink.net optonline.net rogers.com shaw.ca sympatico.ca telus.net
    bigpond.com bigpond.net.au optusnet.com.au uol.com.br bol.com.br terra.com.br ig.com.br
    globo.com qq.com 163.com 126.com yeah.net sina.com sohu.com foxmail.com naver.com hanmail.net
    daum.net nate.com rediffmail.com seznam.cz email.cz centrum.cz wp.pl o2.pl onet.pl interia.pl
    abv.bg ukr.net i.ua freemail.hu citromail.hu walla.com walla.co.il telia.com online.no
    """.split()
)
"""Domains where anyone may have a mailbox: they say nothing about an employer."""

DISPOSABLE = frozenset(
    """
    mailinator.com guerrillamail.com guerrillamail.net guerrillamail.org sharklasers.com grr.la
    10minutemail.com 10minutemail.net tempmail.com temp-mail.org temp-mail.io tempmail.net
    tempmailo.com tempr.email throwawaymail.com throwaway.email yopmail.com yopmail.fr yopmail.net
    getnada.com nada.email maildrop.cc mailnesia.com mailcatch.com mintemail.com trashmail.com
    trashmail.de trashmail.net trash-mail.com dispostable.com fakeinbox.com fakemail.net
    spamgourmet.com mytemp.email moakt.com moakt.cc emailondeck.com mohmal.com discard.email
    discardmail.com spam4.me spambog.com mail-temp.com minuteinbox.com burnermail.io mailsac.com
    inboxkitten.com tmpmail.org tmpmail.net dropmail.me mailpoof.com anonbox.net einrot.com
    wegwerfmail.de byom.de muellmail.com jetable.org tempail.com tempinbox.com 33mail.com
    mailnull.com incognitomail.org mvrht.com linshiyouxiang.net 1secmail.com 1secmail.org
    """.split()
)
"""Domains that hand out throw-away addresses."""

ROLES = frozenset(
    """
    abuse accounting accounts admin administrator bewerbung billing booking bookings business
    buchhaltung career careers compliance contact contacto contactus contato customercare
    customerservice customersupport datenschutz dataprotection dpo editor empfang enquiries
    enquiry events feedback finance fragen hallo hello help helpdesk hi hola hostmaster hr
    impressum info information inquiries inquiry invoice invoices investors ir it jobs kontakt
    kundenservice legal mail mailer-daemon marketing media newsletter no-reply noreply office
    orders partners partnerships payments post postmaster pr press presse privacy purchasing
    reception rechnung recruiting recruitment reservations returns root sales security service
    services shop spam staff store subscribe support team tech ventas verkauf vertrieb webmaster
    welcome
    """.split()
)
"""Local parts that belong to a function of a company, not to one person."""


def parse_email(text: str) -> str:
    """Return an address in canonical form: local part as it is, domain in lower case A-labels.

    ``mailto:`` and a display name around ``<...>`` are taken off.

    Raises: ValueError, with a reason for people.
    """
    text = text.strip()
    if text[:7].lower() == "mailto:":
        text = text[7:].partition("?")[0]
    bracketed = _IN_BRACKETS.search(text)
    if bracketed:
        text = bracketed[1].strip()
    if len(text) <= _MAX_ADDRESS and _PLAIN.fullmatch(text):
        local, _, domain = text.rpartition("@")
        if len(local) <= _MAX_LOCAL and "xn--" not in domain.lower():
            return f"{local}@{domain.lower()}"
    try:
        found = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError(f"not an e-mail address: {error}") from error
    return f"{found.local_part}@{found.ascii_domain}"


def local_part(email: str) -> str:
    """Return what stands before the ``@``, in lower case and without a ``+tag``."""
    return email.rpartition("@")[0].lower().partition("+")[0]


@lru_cache(maxsize=4096)
def mail_domain(email: str) -> str:
    """Return the registrable domain of a canonical address, or its host where there is none."""
    host = email.rpartition("@")[2]
    try:
        return registrable(host)
    except ValueError:
        return host


def as_subject(email: str) -> str:
    """Return the address as the subject of a statement about its mailbox: ``mailto:jane@acme.com``."""
    return f"mailto:{email}"


def subject_of(url: str | None) -> str | None:
    """Return the mailbox that a statement is about, in comparable form; None where it names none."""
    return url[7:].casefold() if url and url.startswith("mailto:") else None


def is_free_mail(domain: str) -> bool:
    """Tell whether anyone may have a mailbox at this registrable domain."""
    return domain in FREE_MAIL


def is_disposable(domain: str) -> bool:
    """Tell whether this registrable domain hands out throw-away addresses."""
    return domain in DISPOSABLE


def is_role(email: str) -> bool:
    """Tell whether an address belongs to a function ("info@") rather than to one person."""
    return local_part(email) in ROLES
