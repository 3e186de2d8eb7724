"""What offends by how its words are put together: insults to `you`, threats by `I`, words of despair, hatred of groups.

For text that `disguises.plain` has folded, on one line. Curses at things and reports of what somebody else did pass.
"""

from collections.abc import Mapping
from types import MappingProxyType

from rails.matching import compile_linear
from rails.toxic_terms import Category

_LOW = (
    r"(?:pathetic|dumb|ugly|stupid|worthless|useless|disgusting|filthy|fat|brainless|miserable|damn|fucking|bloody"
    r"|complete|total|utter|absolute|ridiculous|rotten|lousy|hopeless)"
)
_NAMES = r"(?:losers?|dimwits?|half-?wits?|nitwits?|pigs?|scum|fools?|cretins?|creeps?|vermin|dumbo|dunce|simpletons?)"
_THINGS = (
    r"(?:trash|garbage|clowns?|jokes?|failures?|disgrace|wastes? of (?:space|air|oxygen|skin|time)|nobody|rubbish"
    r"|pieces? of (?:trash|crap|garbage|filth|dirt))"
)
_WILL = (
    r"\b(?:i|we)(?:'ll| will| am going to|'m going to|'re going to| are going to|'m gonna| am gonna| gonna| want to"
    r"| wanna| swear i will| swear i'll| would love to)(?: just| really| personally)?"
)
_PERSON = (
    r"(?:you|him|her|every(?:one|body)(?: here)?|some(?:one|body)|people|all of you|my (?:boss|manager"
    r"|(?:ex-?)?(?:wife"
    r"|husband|girlfriend|boyfriend)|colleagues?|co-?workers?|team ?mates?|neighbou?rs?|family|teacher"
    r"|supervisor|father"
    r"|mother|parents|brother|sister))"
)
_PLACE = (
    r"(?:the|this|your|our|that) (?:whole |entire |damn )?(?:office|building|company|place|school"
    r"|head ?quarters|house|plant|site)"
)
_GROUP = (
    r"(?:muslims|jews|christians|hindus|gays|lesbians|homosexuals|blacks|(?:black|white|brown|trans"
    r"|transgender|gay|old"
    r"|disabled|poor|jewish|muslim) people|whites|asians|arabs|africans|mexicans|indians|chinese|turks"
    r"|poles|romanians"
    r"|russians|gypsies|immigrants|migrants|foreigners|refugees|asylum seekers|women|girls|(?:those|these) people)"
)
_BASE = (
    r"(?:terrorists|parasites|vermin|rats|animals|pigs|cockroaches|subhumans?|inferior|superior|filthy"
    r"|filth|stupid|dumb"
    r"|disgusting|criminals|rapists|scum|trash|lazy|thieves|liars|a (?:burden (?:on|to)|disease|plague|cancer))"
)

PATTERNS: Mapping[Category, str] = MappingProxyType(
    {
        Category.INSULTS: rf"\byou(?:'re| are| r)? (?:(?:all|just|really|such|so|an?|the|nothing but) )*"
        rf"(?:{_LOW} )*{_NAMES}\b|\byou(?:'re| are| r) (?:(?:all|just|really|such|so|an?|the"
        rf"|nothing but) )*(?:{_LOW} )*"
        rf"{_THINGS}(?:\W|$)|\byou (?:{_LOW} )+(?:{_THINGS}|machine|bot|robot|computer|thing|person|people"
        rf"|ai|program)\b"
        rf"|\bkiss my (?:ass|arse)\b|\beat shit\b|^\W*(?:just |go )?drop dead\W*$|\b(?:burn|rot) in hell\b"
        rf"|^\W*(?:{_LOW} )*pieces? of (?:trash|crap|garbage|filth)\W*$",
        Category.THREATS: rf"{_WILL} (?:kill|hurt|stab|murder|strangle|choke|poison|punch|beat up|break"
        rf"|destroy|torture)"
        rf" {_PERSON}(?:\W|$)|{_WILL} shoot (?:him|her|every(?:one|body)|my (?:boss|manager|wife|husband))\b"
        rf"|{_WILL} (?:bomb|burn down|blow up|shoot up|set fire to) {_PLACE}\b|{_WILL} (?:break"
        rf"|smash) (?:your|his|her)"
        r" (?:legs?|neck|arms?|face|bones|skull)\b"
        rf"|{_WILL} make (?:you|him|her|them)(?: all)? suffer\b|{_WILL} bring (?:a|my) (?:gun|rifle|bomb|pistol)\b"
        r"|\bi(?:'m| am) bringing (?:a|my) (?:gun|rifle|bomb|pistol)\b"
        r"|\b(?:somebody|someone) should (?:shoot|kill|stab|hang|put a bullet in)\b (?:you|him|her|them|that)\b"
        r"|\bput a bullet in (?:your|his|her|their)\b"
        r"|\bi hope (?:that )?(?:you|he|she|they)(?: all)? (?:die|get cancer|rot|suffer|burn)\b"
        r"|\byou(?:'ll| will)(?: all)? pay (?:for (?:this|it|that) )?with your li(?:fe|ves)\b"
        r"|\bregret (?:this|it|that)\b"
        r"[^?]{0,30}\bi know where\b|^\W*(?:you(?:'re| are) (?:so |all )?dead|(?:you(?:'d"
        r"| had)? better )?watch your back)\W*$"
        r"|\bcoming for you\b[^?]{0,30}\b(?:knife|gun|weapon)\b|(?:^|[.!,;] ?)there(?:'s| is) a bomb (?:in"
        r"|under|at)\b",
        Category.SELF_HARM: r"\b(?:cut|cutting|slit|slash|slashed) my (?:own )?(?:wrists?|veins|arteries|throat)\b"
        r"|\b(?:easiest|quickest|fastest|painless|best|least painful) ways? (?:to|of) (?:die|dying"
        r"|end(?:ing)? my life)\b"
        r"|\bi wish i (?:had never been born|was never born|wasn't born|didn't exist|could (?:just )?die)\b"
        r"|\bi(?:'m| am|'ll| will| want to| wanna| plan to| might| could)(?: going to| gonna"
        r"| just)* (?:jump|throw myself)"
        r" (?:off|from|in front of|under) (?:a|the|my) (?:bridge|roof|building|balcony|train|car|truck"
        r"|lorry|bus|cliff)\b"
        r"|\bi(?:'ve| have)?(?: just)? (?:took|taken|swallowed) (?:an overdose|too many (?:pills|tablets)"
        r"|all (?:my|the)"
        r" (?:pills|tablets))\b|\bi (?:want to|wanna|will|am going to) (?:take an )?overdose\b"
        r"|\b(?:nobody|no one|no-one) (?:would|will) (?:even )?(?:miss me|care|notice) if i (?:was gone"
        r"|were gone|died|die"
        r"|was dead|were dead|am gone|disappear)"
        r"|\bi (?:just )?(?:want to|wanna|wish i could) (?:go to |fall )?(?:sleep|asleep) (?:forever"
        r"|and (?:never|not) wake)"
        r"|\bno (?:point|sense) (?:in|to) (?:living|my life|life)\b|\bi (?:often |still |sometimes "
        r"|started to )?self[- ]?harm"
        r"|\bstarv(?:e|ing) myself\b|\bunaliv(?:e|ing) (?:myself|me)\b|\bend(?:ing)? it all (?:tonight"
        r"|today|now|soon)\b"
        r"|\bmy (?:goodbye|farewell) (?:letter|note)\b[^?]{0,40}\b(?:tonight|end it)\b"
        r"|\bi(?:'m| am) (?:done|finished|tired|sick) (?:with|of) (?:life|living|being alive|my life)\b"
        r"|\bcan(?:'t|not) live (?:like this )?any ?(?:more|longer)\b"
        r"|\bi(?:'m| am) (?:just |only |nothing but )?a burden (?:to|on|for) (?:every(?:one|body)"
        r"|my (?:family|friends|wife"
        r"|husband|kids|children|parents)|the world)\b|^\W*kms\W*$|\b(?:gonna|going to|want to|wanna|might) kms\b"
        r"|\bgoodbye cruel world\b|\bgoodbye\b[^?]{0,20}\bwon't be here tomorrow\b",
        Category.SLURS: rf"\b{_GROUP} (?:are|r) (?:(?:all|just|too|so|nothing but|really|like|simply"
        rf"|always) )*{_BASE}\b"
        rf"|\bthe (?:indians|chinese|poles|turks|russians|romanians|arabs)\b(?: \w+){{0,3}} are (?:all "
        rf"|so )?{_BASE}\b"
        rf"|\b{_GROUP} should (?:(?:all|just) )*(?:be (?:killed|shot|hanged|deported|gassed|exterminated"
        rf"|sterili[sz]ed"
        rf"|castrated|enslaved)|die|hang|not (?:exist|breed|vote))\b"
        rf"|(?:^|[.!,;] ?|\b(?:let's|we should|i want to|just) )(?:gas|kill|exterminate|hang|shoot"
        rf"|burn) (?:all )?(?:the )?"
        rf"{_GROUP}\b|\bgo back to (?:your (?:own )?country|where you (?:came|come) from)\b"
        r"|\bhitler (?:was|is) right\b|\bhitler did nothing wrong\b|\bwomen belong (?:in the kitchen|at the stove)\b"
        r"|\bjews (?:control|run|own|rule) (?:everything|the (?:world|media|banks|government))\b",
        Category.SEXUAL: r"\bwhat are you wearing\b[^?]{0,5}\b(?:baby|babe|sexy|darling|honey|sweetheart|right now"
        r"|underneath)\b",
    }
)
"""By category; no category of curses alone."""

FORGIVEN = compile_linear(
    r"\b(?:i|we) (?:(?:must|will|would|just|really|already) )*(?:feel|felt|am|was|look|looked|sound|sounded)"
    r" (?:(?:like|such|so|an?|a bit|the|complete|total|absolute|right) )*(?:idiot|moron|imbecile|dumbass|stupid)s?\b"
)
"""What people say of themselves, and is taken out before the words are looked for again."""
