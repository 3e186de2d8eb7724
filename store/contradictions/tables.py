"""Pairs of opposites and names of one kind, as lists: the whole vocabulary of the contradiction gate."""

from collections.abc import Mapping
from types import MappingProxyType

from store.wordlists import word_set

ACTS = """
activate enable | deactivate disable
open reopen | close shut
lock block freeze | unlock unblock unfreeze
add insert append | remove delete erase
install | uninstall
subscribe enrol enroll | unsubscribe
join | =leaving quit resign
hire recruit employ appoint | fire dismiss sack
buy purchase | sell
lend | borrow
send | receive
import | export
upload | download
increase raise extend lengthen widen upgrade | decrease reduce lower shorten cut downgrade
accept approve | reject decline deny refuse disapprove
start begin launch | stop end finish terminate
connect attach | disconnect detach
encrypt | decrypt
lose | find
win | lose
pass | fail
arrive | depart
push | pull
deposit | withdraw
hide | show reveal
include | exclude
create | destroy
remember | forget
load | unload
book reserve request order apply register | cancel withdraw return
grant | revoke
attend | miss
compress zip | decompress unzip
mute | unmute
publish | unpublish
follow | unfollow
archive | unarchive
assign | unassign
link pair | unlink unpair
check tick | uncheck untick
pin | unpin
promote | demote
earn | spend
save | waste
confirm | cancel
credit | debit
sooner earlier | later
early | late
cheap | expensive costly pricey
cheaper | dearer costlier pricier
fast quick | slow
faster quicker | slower
fastest quickest | slowest
large big | small
larger bigger | smaller
largest biggest | smallest
long | short
longer | shorter
longest | shortest
high | low
higher | lower
highest | lowest
strong | weak
stronger | weaker
strongest | weakest
hot warm | cold cool
hotter warmer | colder cooler
best | worst
better | worse
most | least fewest
more | less fewer
maximum max | minimum min
before | after
inside indoors | outside outdoors
internal | external
public | private
domestic | international abroad
incoming inbound | outgoing outbound
entrance enter | exit
leftmost left | right
morning | evening
past previous last | next future upcoming coming
today | tomorrow | yesterday
daily | weekly | monthly | quarterly | yearly annual annually
weekday weekdays | weekend weekends
always | never
everyone everybody | nobody none
legal lawful | illegal unlawful
safe | unsafe dangerous
available | unavailable
paid | unpaid
valid | invalid expired
temporary temporarily | permanent permanently
manual manually | automatic automatically
online | offline
optional optionally voluntary | mandatory compulsory obligatory
single | double
gross | net
upstairs | downstairs
arrival arrivals | departure departures
sender | recipient receiver
buyer | seller
debtor | creditor
landlord | tenant
employer | employee
inbox | outbox
input | output
profit | loss
"""
"""One pair a line, `|` between the sides, every word in any inflection; `=` marks a word taken as it stands."""

PHRASES = """
more than, at least, no less than | less than, at most, no more than
top up, pay in | cash out, pay out
part time | full time
cheapest, least expensive | most expensive, dearest, costliest
"""
"""Pairs of more than one word, `,` between the phrases of a side."""

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
animal: dog | cat
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

MODES = """
permitted: can i, may i, could i, can we, may we, am i allowed, are we allowed, is it allowed, am i permitted
 is it permitted, is it ok, is it okay, is it possible, can employees, can you, is it allow, do i have the right
obliged: do i have to, do we have to, do i need to, do we need to, must i, must we, am i required, is it mandatory
 is it compulsory, is it obligatory, am i obliged, is it required, do i need
forbidden: am i forbidden, is it forbidden, not allowed, not permitted, may not, must not
 is it prohibited, is it banned
exempt: not have to, not need to, need not, not required, not necessary, not mandatory, not compulsory, not obliged
"""
"""How a question asks about a rule; words as they stand."""
OPPOSED_MODES = frozenset(
    frozenset(pair.split())
    for pair in ("permitted obliged", "permitted forbidden", "obliged forbidden", "obliged exempt", "forbidden exempt")
)

PARTICLES = {"in": "in", "into": "in", "out": "out", "on": "on", "onto": "on", "off": "off", "up": "up", "down": "down"}
OPPOSED_PARTICLES = {"in": "out", "on": "off", "up": "down", "out": "in", "off": "on", "down": "up"}
WITH_PARTICLE = {
    "log": "log", "sign": "log", "switch": "turn", "turn": "turn", "check": "check", "clock": "clock", "opt": "opt",
    "plug": "plug", "phas": "phase", "scal": "scale", "mov": "move", "hand": "hand", "swip": "swipe", "badg": "badge",
    "step": "step", "go": "go", "com": "come", "let": "let", "roll": "roll", "pow": "power", "power": "power",
    "pay": "pay", "pai": "pay", "put": "put", "tak": "take", "top": "top", "sped": "speed", "walk": "walk",
}  # fmt: skip
"""Verbs, by stem, whose particle decides, with the name of their group: "log in" and "sign in" are one act."""
NOT_NEGATED = word_set("unit until unless union under unique unite discover discount disorder display discuss")
"""Words that begin as a negation does and are none."""

SPEAKER = word_set("i me we us myself")
