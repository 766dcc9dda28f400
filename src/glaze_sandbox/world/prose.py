"""What companies say about themselves, in the language of their country."""

import random

from glaze_sandbox.world.places import Country
from glaze_sandbox.world.words import Industry

_SENTENCES = {
    "en": (
        "{name} is a {trade} company based in {city}.",
        "From {city}, {name} serves customers in {trade} with care and experience.",
        "{name} provides {trade} to businesses of every size from its home in {city}.",
    ),
    "de": (
        "{name} ist ein Unternehmen für {trade} mit Sitz in {city}.",
        "Aus {city} beliefert {name} Kunden im Bereich {trade}.",
    ),
    "fr": (
        "{name} est une entreprise spécialisée : {trade}, basée à {city}.",
        "Depuis {city}, {name} accompagne ses clients : {trade}.",
    ),
    "es": (
        "{name} es una empresa de {trade} con sede en {city}.",
        "Desde {city}, {name} ofrece {trade} a empresas de todos los tamaños.",
    ),
    "it": (
        "{name} è un'azienda di {trade} con sede a {city}.",
        "Da {city}, {name} offre {trade} a imprese di ogni dimensione.",
    ),
    "nl": (
        "{name} is een bedrijf in {trade} gevestigd in {city}.",
        "Vanuit {city} helpt {name} klanten met {trade}.",
    ),
    "ja": ("{name}は{city}を拠点とする{trade}の企業です。",),
}


def description(
    country: Country, industry: Industry, name: str, city: str, chance: random.Random
) -> str:
    """Return one sentence about the company."""
    pattern = chance.choice(_SENTENCES[country.language])
    return pattern.format(name=name, trade=industry.in_language(country.language), city=city)
