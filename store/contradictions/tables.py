"""Pairs of opposites, as lists: with the names of one kind the whole vocabulary of the contradiction gate."""

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
accept approve grant | reject decline deny refuse disapprove
start begin launch | stop end finish terminate
connect attach | disconnect detach
encrypt | decrypt
lose | find
win | lose
pass | fail
arrive | depart leave
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
allow permit welcome | ban forbid prohibit disallow
agree consent | object disagree
continue | discontinue stop end cancel
collect fetch | deliver ship
borrow | return
rent | let sublet
board embark | disembark alight
postpone delay | advance
merge | split
enlarge | shrink
gain | lose
improve | worsen
expand | collapse
fill | empty
wrap | unwrap
credit | debit
sooner earlier | later
best | worst
better | worse
most | least fewest
more | less fewer
maximum max | minimum min
before | after
during within inside | outside
above over exceed | below under beneath
all every | some | none
first initial | last final
whole entire full | part partial half
upper | lower
top | bottom
front | back rear
indoors | outdoors
internal | external
public | private
domestic | international abroad
incoming inbound inward | outgoing outbound outward
entrance enter | exit
leftmost left | right
morning | afternoon | evening
past previous last former | next future upcoming coming | current present existing
since | until till
now immediately | later afterwards
noon midday | midnight
advance | arrears
today tonight | tomorrow | yesterday
male | female
weekday weekdays | weekend weekends
always | never
everyone everybody everything | nobody nothing none
legal lawful | illegal unlawful
safe | unsafe dangerous
available | unavailable
=paid | =unpaid
valid | invalid expired
willing happy ready | unwilling reluctant
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

GRADED = """
cheap | expensive costly pricey dear
fast quick | slow
large big | small little
long | short
high | low
strong | weak
hot warm | cold cool
early soon | late
wide broad | narrow
thick | thin
heavy | light
tight | loose
deep | shallow
rich | poor
loud noisy | quiet
easy simple | hard difficult
near close | far
bright | dark dim
full | empty
hard | soft
clean | dirty
"""
"""Pairs of opposite qualities; "-er" and "-est" make further pairs of each."""

PHRASES = """
more than, at least, over, above, exceeding | less than, at most, under, below, up to
hourly, per hour, an hour, each hour, every hour | nightly, per night, a night, each night
 | daily, per day, a day, each day, every day | weekly, per week, a week, each week, every week
 | monthly, per month, a month, each month, every month | quarterly, per quarter, a quarter, every quarter
 | yearly, annual, annually, per year, a year, each year, every year, per annum
accept | reject, turn down
include | exclude, leave out, left out
join | leave the, leave my, leave our, leave your
borrow | return, give back, bring back
collect, pick up | deliver, drop off
pickup | dropoff, drop off
pick up | dropoff, drop off
postpone, put off, put back, push back, move back | bring forward, move forward
day, daytime, by day, day time | night, at night, by night, night time
from | until, till
too many | too few
in advance | in arrears, afterwards
towards | away from
go to, going to | come from, coming from
outward, outbound | return, homeward
to the left, on the left | to the right, on the right
term time | holidays, school holidays
per person | per group
single, one, only one | several, multiple, both, many, more than one
top up, pay in | cash out, pay out
part time | full time
cheapest, least expensive | most expensive, dearest, costliest
"""
"""Pairs of which a side is more than one word, in any inflection; `,` between the phrases of a side."""

MODES = """
permitted: am i entitled, are we entitled, can i, may i, could i, can we, may we, am i allowed, are we allowed
 is it allowed, am i permitted
 is it permitted, is it ok, is it okay, is it possible, can employees, can you, is it allow, do i have the right
obliged: am i obliged, are we obliged, is one obliged, do i have to, do we have to, do i need to, do we need to
 must i, must we, am i required, is it mandatory
 is it compulsory, is it obligatory, is it required, do i need
forbidden: am i forbidden, is it forbidden, not allowed, not permitted, may not, must not
 is it prohibited, is it banned
exempt: not have to, not need to, need not, not required, not necessary, not mandatory, not compulsory, not obliged
"""
"""How a question asks about a rule; words as they stand."""
SUBJECT_MODES = {
    "obliged": word_set("must obliged required have need"),
    "permitted": word_set("can may allowed permitted entitled welcome"),
    "forbidden": word_set("forbidden prohibited banned"),
}
"""Words that ask about a rule for somebody named; "have" and "need" only before "to"."""
FIRM_MODES = {"must": "must", "may": "may"}
"""Words that say the same wherever they stand."""
OPPOSED_MODES = frozenset(
    frozenset(pair.split())
    for pair in (
        "permitted obliged",
        "permitted forbidden",
        "obliged forbidden",
        "obliged exempt",
        "forbidden exempt",
        "must may",
    )
)

PARTICLES = {
    "forward": "forward",
    "forwards": "forward",
    "back": "back",
    "in": "in",
    "into": "in",
    "out": "out",
    "on": "on",
    "onto": "on",
    "off": "off",
    "up": "up",
    "down": "down",
}
OPPOSED_PARTICLES = {
    "forward": "back",
    "back": "forward",
    "in": "out",
    "on": "off",
    "up": "down",
    "out": "in",
    "off": "on",
    "down": "up",
}
WITH_PARTICLE = {
    "log": "log", "sign": "log", "switch": "turn", "turn": "turn", "check": "check", "clock": "clock", "opt": "opt",
    "plug": "plug", "phas": "phase", "scal": "scale", "mov": "move", "hand": "hand", "swip": "swipe", "badg": "badge",
    "step": "step", "go": "go", "going": "go", "get": "get", "com": "come", "let": "let",
    "roll": "roll", "pow": "power", "power": "power",
    "pay": "pay", "pai": "pay", "put": "put", "tak": "take", "top": "top", "sped": "speed", "walk": "walk",
}  # fmt: skip
"""Verbs, by stem, whose particle decides, with the name of their group: "log in" and "sign in" are one act."""
CONVERSES = frozenset({"buy/sell", "lend/borrow", "rent/let"})
"""One act from two sides: what I buy, you sell."""
NOT_NEGATED = word_set("unit until unless union under unique unite discover discount disorder display discuss")
"""Words that begin as a negation does and are none."""

SPEAKER = word_set("i me we us myself")
ROLES = word_set(
    "sender recipient receiver seller buyer owner borrower lender host guest parent pupil tutor member coach trainer "
    "agent client patient bank council shop airline insurer company school clinic police driver passenger "
    "employer employee tenant landlord team debtor creditor supplier dealer broker lodger carer bidder donor"
)
"""Who else may do something to somebody."""
