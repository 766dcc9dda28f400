"""The list of industries that companies are classified to, and the words that name each.

The list is LinkedIn's first industry list (147 names), which most vendors of company data still
use or map to. A classification is believed only where the words it rests on name the industry:
each industry has cues in six languages and Japanese, its own name among them.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from glaze.model.text import fold

# industry: cues. A cue is the beginning of a word or of several words; one of up to five letters is
# a whole word, or its plural; one of eight and more may also end a compound.
_LIST = """
accounting: bookkeep, tax advis, tax consult, payroll, steuerberat, buchhalt, wirtschaftspruf, expertise comptable, comptab, asesoria fiscal, contabil, consulenza fiscale, commercialist, belastingadvies, boekhoud, 会計, 税務
airlines/aviation: airline, aviation, flight operat, fluggesellschaft, compagnie aerienne
alternative dispute resolution: mediation, arbitration
alternative medicine: homeopath, acupunct, naturopath, heilpraktik
animation: animated film, animation studio
apparel & fashion: apparel, fashion, clothing, garment, mode, bekleidung, vetement, ropa, abbigliamento, kleding
architecture & planning: architect, urban planning, architekt
arts and crafts: handicraft, crafts, kunsthandwerk
automotive: car dealer, vehicle, auto part, automobil, kfz, autohaus, fahrzeug, componentes de automocion, componenti per auto, auto onderdelen, 自動車
aviation & aerospace: aerospace, aircraft, luftfahrt, raumfahrt, aerospatial
banking: bank, sparkasse, banque, banco, banca
biotechnology: biotech, genomic, biolog
broadcast media: broadcast, television, radio station, rundfunk
building materials: cement, brick, insulation, baustoff, materiaux de construction
business supplies and equipment: office supplies, office equipment, burobedarf, buromaterial
capital markets: securities trading, stock exchange, wertpapier
chemicals: chemical, chemie, chimie, chimica, quimica, chimique, coating, resin, polymer, 化学
civic & social organization: civic, social organization, verein
civil engineering: bridge construct, tiefbau, genie civil, ingenieria civil
commercial real estate: commercial property, office space, gewerbeimmobil
computer & network security: cybersecurity, cyber security, information security, network security, it security, it sicherheit
computer games: video game, game studio, game develop, computerspiel
computer hardware: hardware
computer networking: network equipment, router, network infrastructure
computer software: software, saas, logiciel, app develop, ソフトウェア
construction: builder, building contract, general contract, hochbau, bauunternehm, construccion, edilizia, bouw, 建設
consumer electronics: consumer electronic, headphone, smart home, unterhaltungselektronik
consumer goods: consumer product, household product, konsumguter
consumer services: home services, personal services
cosmetics: cosmetic, skincare, beauty product, kosmetik, cosmetique
dairy: milk, cheese, molkerei, laiterie, kaserei
defense & space: defense, defence, military equipment, wehrtechnik
design: product design, interior design, design studio, gestaltung
e-learning: online course, learning platform, online learning
education management: school management, education provider, bildung
electrical/electronic manufacturing: electronic component, electrical equipment, elektrotechnik, circuit board, elektronik
entertainment: amusement, theme park, unterhaltung
environmental services: environmental, waste management, recycl, entsorgung, umwelttechnik
events services: event manag, event plan, trade fair, veranstaltung, evenement
executive office: executive office
facilities services: facility manag, facilities, cleaning service, gebaudereinigung, gebaudemanagement
farming: farm, farmer, agricultur, crop, landwirtschaft, agricol
financial services: financial service, financial advis, payment, leasing, treasury, finanzdienst, services financiers, servicios financieros, servizi finanziari, financiele diensten, 金融
fine art: art gallery, painting, kunsthandel
fishery: fishing, fisher, seafood, fischerei
food & beverages: food, beverage, drink, getranke, lebensmittel, boisson, bebida
food production: food product, food manufactur, mill, bakery, lebensmittelherstell, produits alimentaires, produccion de alimentos, produzione alimentare, voedselproductie, 食品
fund-raising: fundrais
furniture: joinery, cabinet mak, mobel, mobelbau, mobilier, mobiliario, arredamento, meubel, 家具
gambling & casinos: casino, gambling, betting, lottery, glucksspiel
glass, ceramics & concrete: glass, ceramic, concrete, glas, keramik, beton
government administration: municipal, government agency, public administration, verwaltung
government relations: government relation, lobby
graphic design: graphic design, grafikdesign, corporate design
health, wellness and fitness: wellness, fitness, gym, yoga
higher education: university, college, hochschule, universitat, universite
hospital & health care: hospital, clinic, health care, healthcare, krankenhaus, klinik, hopital, nursing
hospitality: hotel, catering, resort, hostel, ospitalita, ホテル
human resources: human resource, hr consult, hr software, personalwesen
import and export: importer, exporter, import export
individual & family services: family service, child care, social care, kinderbetreuung
industrial automation: automation, robotic, automatisierung
information services: data provider, information service, market data
information technology and services: it service, it consult, information technolog, it dienst, systemhaus, managed service
insurance: insurer, insuring, versicher, assurance, seguro, assicura, verzeker
international affairs: international affair, diplomac
international trade and development: international trade, development aid, entwicklungszusammenarbeit
internet: internet, web portal, online platform, online marketplace
investment banking: investment bank, mergers and acquisitions
investment management: asset manag, wealth manag, investment manag, vermogensverwaltung
judiciary: court
law enforcement: police
law practice: law firm, lawyer, attorney, anwalt, kanzlei, avocat, abogad, avvocat, advocaat
legal services: legal, contract law, rechtsberat, services juridiques, servicios juridicos, servizi legali, juridische, 法律
legislative office: parliament, legislat
leisure, travel & tourism: travel, touris, holiday, reise, voyage, viaje, viaggi
libraries: librar, bibliothek
logistics and supply chain: logisti, supply chain, freight, cargo, customs clear, spedition, 物流
luxury goods & jewelry: jewelry, jeweller, jewellery, luxury, watchmak, schmuck, bijou
machinery: machine, maschinenbau, maquinaria, macchinari, machinebouw, cnc, 産業機械
management consulting: management consult, business consult, strategy consult, unternehmensberat, conseil en
maritime: shipping compan, maritime, port operat, reederei, schifffahrt
market research: market research, survey research, marktforschung
marketing and advertising: marketing, advertis, branding, werbung, werbeagentur, publicite, publicidad, pubblicita, reclame, 広告
mechanical or industrial engineering: mechanical engineering, industrial engineering, konstruktionsburo, engineering services
media production: film product, video product, media product, filmproduktion
medical devices: medical device, surgical, diagnostic, imaging, medizintechnik, dispositifs medicaux, dispositivos medicos, dispositivi medici, medische apparatuur, 医療機器
medical practice: medical practice, physician, doctor s office, dentist, arztpraxis, zahnarzt
mental health care: mental health, psychotherap, counselling, psychiatr
military: armed forces, army, navy
mining & metals: mining, metal, steel, bergbau, stahl, metallverarbeit
motion pictures and film: motion picture, film studio, cinema, kino
museums and institutions: museum
music: music, record label, musik
nanotechnology: nanotech
newspapers: newspaper, zeitung
non-profit organization management: nonprofit, non profit, charit, gemeinnutzig
oil & energy: oil, gas, petrol, energy supply, energieversorg
online media: online magazine, digital media, blog
outsourcing/offshoring: outsourc, offshor, call center
package/freight delivery: parcel, courier, delivery service, paket
packaging and containers: packaging, container, verpackung, emballage
paper & forest products: paper, timber, pulp, forest, papier, holz
performing arts: theater, theatre, dance compan, performing art
pharmaceuticals: pharma, drug develop, medicines, arzneimittel
philanthropy: philanthrop, foundation grants
photography: photograph, fotograf
plastics: plastic, injection mould, injection mold, kunststoff
political organization: political part, political organi
primary/secondary education: primary school, secondary school, schule
printing: print, druckerei, imprimerie
professional training & coaching: training, coaching, schulung, weiterbildung
program development: program develop
public policy: public policy
public relations and communications: public relation, communications agency, pr agentur
public safety: public safety, fire department, rescue
publishing: publish, verlag, book
railroad manufacture: railway vehicle, rail vehicle, locomotive
ranching: ranch, cattle
real estate: real estate, property manag, immobil, makler, inmobiliari, vastgoed
recreational facilities and services: recreation, swimming pool, leisure centre
religious institutions: church, religio, parish, kirche
renewables & environment: renewable, solar, wind power, wind energy, heat pump, photovolta, erneuerbare, energies renouvelables, energias renovables, energie rinnovabili, duurzame energie, 再生可能
research: research institut, scientific research, forschung
restaurants: restaurant, bistro, cafe, gastronom
retail: retail, shop, store, einzelhandel, commerce de detail, online shop, webshop
security and investigations: security service, guard, detective, wachdienst, sicherheitsdienst
semiconductors: semiconductor, chip design, wafer, halbleiter
shipbuilding: shipbuild, shipyard, werft
sporting goods: sporting good, sports equipment, sportartikel
sports: sport, football club, fussball
staffing and recruiting: staffing, recruit, temporary work, personalvermittlung, zeitarbeit, interim
supermarkets: supermarket, supermarkt
telecommunications: telecom, telekommunikation, fibre network, fiber network, voip, mobile network, 通信
textiles: textile, fabric, yarn, textil, weaving
think tanks: think tank
tobacco: tobacco, cigar, tabak
translation and localization: translat, localization, localisation, ubersetz, traduction
transportation/trucking/railroad: transport, trucking, haulage, rail freight, bus operator
utilities: utility, water supply, electricity supply, stadtwerke
venture capital & private equity: venture capital, private equity, beteiligung
veterinary: veterinar, tierarzt, animal clinic
warehousing: warehous, storage facilit, lagerhaltung
wholesale: wholesale, distribut, grosshandel, grossist
wine and spirits: wine, spirits, winery, distill, brewery, weingut
wireless: wireless
writing and editing: copywrit, editing, ghostwrit
"""
_WHOLE_WORD, _COMPOUND = 5, 8  # letters
_IDEOGRAPH = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


def _plain(name: str) -> str:
    return fold(name.replace("&", " and "))


def _parsed() -> Mapping[str, tuple[str, ...]]:
    rows = (line.partition(":") for line in _LIST.strip().splitlines())
    return MappingProxyType(
        {
            name: tuple(
                dict.fromkeys((_plain(name), *filter(None, map(str.strip, cues.split(",")))))
            )
            for name, _, cues in rows
        }
    )


INDUSTRIES: Mapping[str, Sequence[str]] = _parsed()
"""Each industry of the list with its cues."""
_BY_NAME: Mapping[str, str] = {_plain(name): name for name in INDUSTRIES}


def named(industry: str, text: str) -> bool:
    """Tell whether ``text`` names ``industry``, in any of the languages of the cues."""
    return _longest(industry, f" {_plain(text)} ") > 0


@lru_cache(maxsize=4096)
def industry_of(text: str) -> str | None:
    """Return the industry of the list that a source's own words mean; None where it is not clear.

    >>> industry_of("Logistics & Supply Chain"), industry_of("Software Development")
    ('logistics and supply chain', 'computer software')
    """
    plain = _plain(text)
    if plain in _BY_NAME:
        return _BY_NAME[plain]
    padded = f" {plain} "
    hits = sorted(
        ((length, name) for name in INDUSTRIES if (length := _longest(name, padded))), reverse=True
    )
    if not hits or (len(hits) > 1 and hits[0][0] == hits[1][0]):
        return None  # two industries are named as clearly
    return hits[0][1]


def _longest(industry: str, padded: str) -> int:
    """Return the length of the longest cue of ``industry`` in folded text, 0 for none."""
    return max((len(cue) for cue in INDUSTRIES[industry] if _stands(cue, padded)), default=0)


def _stands(cue: str, padded: str) -> bool:
    if _IDEOGRAPH.search(cue):
        return cue in padded
    if " " not in cue and len(cue) <= _WHOLE_WORD:
        return f" {cue} " in padded or f" {cue}s " in padded
    compound = " " not in cue and len(cue) >= _COMPOUND and f"{cue} " in padded
    return compound or f" {cue}" in padded
