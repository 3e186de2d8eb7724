"""Names of one kind, as lists: a sentence about one of them is not about another."""

from collections.abc import Mapping
from types import MappingProxyType

_NAMES = """
weekday: monday | tuesday | wednesday | thursday | friday | saturday | sunday
month: january | february | april | june | july | august | september | october | november | december
season: spring | summer | autumn | winter
system: windows | mac macos macbook | linux ubuntu | android | iphone ios ipad | chromebook
card: visa | mastercard | amex | maestro
mail: outlook | gmail | thunderbird
meeting: teams | slack | zoom | webex | skype
browser: chrome | firefox | safari | edge | opera
format: excel xls xlsx | powerpoint | pdf | csv | word docx
currency: euro euros eur | dollar dollars usd | pounds gbp sterling | yen jpy | francs chf | zloty pln
transport: train rail | plane flight flights fly flying | bus | taxi cab | ferry | bike bicycle | car
meal: breakfast | lunch | dinner supper
animal: dog | cat | horse | rabbit | hamster | bird
sex: men man | women woman
youth: boy | girl
colour: red | blue | green | yellow | orange | purple | pink | brown | black | white | grey gray
energy: gas | electricity electric | oil | solar
diet: vegetarian | vegan | halal | kosher
medicine: aspirin | ibuprofen | paracetamol | penicillin | insulin
identity: passport | licence license | visa
language: english | french | german | spanish | italian | dutch | polish | portuguese | chinese | japanese
sport: yoga | pilates | swimming | boxing | tennis | football | squash
drink: coffee | tea | beer | wine
relative: wife husband spouse partner | son daughter child kid | mother father parent parents mum dad
 brother sister | friend | neighbour neighbor
person: manager boss supervisor superior | colleague coworker teammate | customer client
 supplier | contractor freelancer | consultant
 apprentice trainee intern
 visitor guest | director | student | assistant secretary | landlord | teacher | doctor | nurse
nation: germany | france | spain | portugal | italy | poland | austria | switzerland | belgium | netherlands holland
 denmark | sweden | norway | finland | ireland | scotland | wales | england uk britain | greece | romania | hungary
 russia | ukraine | usa america | canada | mexico | brazil | argentina | china | japan | korea | india | pakistan
 indonesia | malaysia | singapore | thailand | vietnam | australia | egypt | morocco | nigeria | kenya | israel
city: lisbon | porto | madrid | barcelona | paris | lyon | london | manchester | birmingham | leeds | edinburgh
 dublin | berlin | munich | hamburg | frankfurt | cologne | vienna | zurich | geneva | basel | brussels | antwerp
 amsterdam | rotterdam | copenhagen | oslo | stockholm | helsinki | warsaw | gdansk | krakow | prague | budapest
 rome | milan | athens | istanbul | moscow | kyiv | boston | chicago | seattle | toronto | tokyo | osaka | seoul
 beijing | shanghai | delhi | mumbai | bangalore | sydney | melbourne | cairo | nairobi
point: north northern | south southern | east eastern | west western
"""
"""One kind of names a paragraph; `|` or a new line between names, `s` for more than one allowed."""


def _kinds() -> Mapping[str, tuple[tuple[str, ...], ...]]:
    kinds: dict[str, list[tuple[str, ...]]] = {}
    kind = ""
    for line in _NAMES.strip().splitlines():
        head, colon, rest = line.partition(":")
        kind = head if colon else kind
        kinds.setdefault(kind, []).extend(tuple(side.split()) for side in (rest if colon else line).split("|"))
    return MappingProxyType({kind: tuple(sides) for kind, sides in kinds.items()})


KINDS = _kinds()
"""By kind: its names, each with the words for it."""
