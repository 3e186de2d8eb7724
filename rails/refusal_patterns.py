r"""The ways in which language models decline, as RE2 patterns, by language and by kind.

Apostrophes are straight and blanks single in the texts that they run on. `\A` holds a pattern to the beginning of the
answer: what would be an ordinary sentence further down is a refusal where an answer should begin.
"""

from collections.abc import Mapping
from types import MappingProxyType

_CANNOT = (
    r"(?:can ?not|can't|couldn't|won't|will not|would not|wouldn't|am unable to|'m unable to|am not able to|"
    r"'m not able to|am not going to|'m not going to|am not allowed to|'m not allowed to|am not permitted to|"
    r"am not programmed to|'m not programmed to|am not designed to|'m not designed to|am not authori[sz]ed to|"
    r"must decline to|have to decline to|refuse to|decline to|do not feel comfortable|don't feel comfortable|"
    r"am not comfortable|'m not comfortable|do not have the ability to|don't have the ability to|"
    r"am not in a position to|'m not in a position to|am not capable of|'m not capable of|cannot in good conscience)"
)
_DO = (
    r"(?:help|helping|assist|assisting|comply|provide|providing|fulfil|fulfill|support|share|sharing|give|giving|"
    r"offer|create|creating|generate|generating|write|writing|engage|participate|discuss|discussing|answer|"
    r"answering|respond|continue|recommend|complete|disclose|reveal|produce|proceed|teach|advise|do (?:that|this|so)|"
    r"be (?:of help|part of)|condone|endorse|encourage|promote|facilitate|contribute|entertain|accommodate|make|"
    r"suggest|tell you|guide|talk about|go into|take part|role-?play|describe|explain|process|perform|carry out)"
)
_SOFTENER = r"(?:, however,?|,? but|,? unfortunately,?| really| also| simply| just| currently| personally| in any way)*"
_BEGINS = r"\A[^\pL]{0,20}"
_OPENING = r"\A[^\pL]{0,20}(?:[^.!?\n]{0,60}[:,.!] ?)?"

ENGLISH: Mapping[str, str] = MappingProxyType(
    {
        "cannot": rf"\b(?:I|we)(?: am| are)?{_SOFTENER}(?: |\b){_CANNOT}{_SOFTENER} (?:to )?{_DO}\b",
        "only_other": r"\bI can (?:only |gladly |happily )?help (?:you )?(?:with|"
        r"by) [^!?\n]{1,160}\bbut (?:not (?:with|by)|I can't|"
        r"I cannot|I won't)\b",
        "declined": r"\bI(?: must| have to| will|'ll| need to)?(?: respectfully| politely)? "
        r"(?:decline|refuse)\b(?: to| your| this| that|[.,;!])|\bI(?:'m| am) (?:going to|afraid I) (?:have to )?"
        r"(?:decline|pass|say no|can't|cannot|must)",
        "sorry": rf"{_OPENING}(?:(?:I'm|I am|we're|we are) (?:(?:so|very|really|truly|terribly) )?(?:sorry|"
        rf"afraid)|sorry|"
        r"(?:I|we)(?: do)?(?: sincerely)? apologi[sz]e|my apologies|apologies|unfortunately|regrettably)"
        r"(?:,| -| \pPd|\.|!)?(?: but)?(?: that)?(?: for [^.!?\n]{1,60}[,.!])?(?: but)? "
        r"(?:I|we|this|that|it|as an?|there|your request|the request|no)(?:\b|')[^.!?\n]{0,80}"
        r"(?:can't|cannot|can not|unable|not able|won't|not (?:allowed|possible|appropriate|something|within)|"
        r"don't|do not|"
        r"am not|'m not|against|violates?|must decline|inappropriate|outside)",
        "model": r"\b(?:as|being|I'm|I am|I'm just|I am just|I am only|I'm only) an? (?:responsible |helpful |"
        r"ethical |large |"
        r"artificial |virtual )*(?:AI|A\.I\.|artificial intelligence|language model|chat ?bot|machine learning model|"
        r"assistant|computer program)\b",
        "request": r"\b(?:your|this|that|the|such a) (?:request|question|prompt|topic|query)s? (?:is|are|goes|"
        r"falls|violates?|"
        r"cannot|can't|could not|asks for)\b[^.!?\n]{0,40}(?:inappropriate|against|outside|beyond|violat|"
        r"unethical|illegal|"
        r"harmful|offensive|fulfilled|processed|answered|not (?:appropriate|something|allowed|permitted|within)|my )",
        "policy": r"\b(?:against|violates?|goes against|not in line with|contrary to) (?:my|our|openai's|the) "
        r"(?:[a-z]+ ){0,3}(?:polic(?:y|ies)|guidelines?|programming|principles|values|terms|rules|purpose)\b",
        "no_access": r"\bI (?:do not|don't|can't|cannot|currently do not|currently don't)(?: currently| actually)? "
        r"(?:have|get)(?: any| direct| real-?time| personal| the| enough| sufficient| specific)* "
        r"(?:access|information|data|knowledge|details|capabilit(?:y|ies)|means)\b",
        "no_opinion": rf"{_OPENING}I (?:do not|don't|cannot|can't) (?:have|hold|form|express|possess)(?: any)?"
        r"(?: personal| political| own)* (?:opinions?|beliefs?|feelings?|views?|preferences?)\b",
        "no": rf"{_BEGINS}no[,.!] I (?:can't|cannot|won't|will not|would not|wouldn't|do not|don't|am not|refuse)\b",
    }
)
"""Said outright. Any of these makes an answer useless to the person who asked."""

LECTURES: Mapping[str, str] = MappingProxyType(
    {
        "disapproval": rf"{_OPENING}(?:it is|it's|it would be|this is|that is|that's|it isn't|it is simply) "
        r"(?:(?:never|not|neither|highly|completely|extremely|also|both|strictly|morally|absolutely|very|deeply) ?)*"
        r"(?:appropriate|ethical|acceptable|okay|ok|right|legal|illegal|unethical|immoral|wrong|inappropriate|"
        r"unacceptable|harmful|offensive|fair|respectful|responsible|productive|helpful|justifiable|a crime)"
        r"(?:,| and| or| nor| to| for| that|\.)",
        "judgement": rf"{_BEGINS}[^.!?\n]{{3,160}} (?:is|are|would be|is considered) "
        r"(?:(?:never|not|neither|a|an|highly|both|completely|extremely|strictly|morally|absolutely|very|simply|deeply|"
        r"considered|seriously|serious) ?)*(?:appropriate|ethical|acceptable|unethical|immoral|inappropriate|"
        r"unacceptable|"
        r"illegal|crimes?|justified|justifiable|the answer|productive way|healthy|offensive and|harmful and|wrong)\b",
        "disagree": r"\bI (?:strongly |firmly |would |do not |don't |cannot |can't |will not |won't |absolutely )*"
        r"(?:disagree|condone|condemn|advise against|discourage|urge you (?:not )?to|believe in (?:promoting|"
        r"taking|harming)|"
        r"(?:do not|don't|cannot|can't) (?:support|encourage|promote|endorse|recommend|agree|believe))\b",
        "no_reason": rf"{_OPENING}there (?:is|are|was|can be|is simply) (?:absolutely )?(?:no|never an?y?|not any) "
        r"(?:[a-z]+ )?(?:reasons?|justifications?|excuses?)\b",
        "verdict": rf"{_BEGINS}[^.!?\n]{{0,160}}\b(?:(?:is|are|was|were) (?:not|never) (?:[a-z]+ )?(?:justified|"
        rf"right|ethical|"
        r"a good (?:idea|thing)|acceptable|morally [a-z]+)|should (?:not|never) be (?:discriminated|denied|"
        r"excluded|barred|"
        r"treated|punished|mocked|harmed|banned)|(?:widely|strongly|universally) condemned)\b",
        "concerns": r"\braises? (?:[a-z]+ ){0,2}(?:ethical|legal|moral|safety) (?:and (?:ethical|legal|moral) )?"
        r"(?:concerns|questions|issues|implications)",
        "reminder": rf"{_OPENING}(?:it is|it's) (?:important|crucial|essential|vital|never okay|critical) to "
        r"(?:[a-z]+ ){0,3}(?:note|remember|understand|recogni[sz]e|treat|respect|prioriti[sz]e|promote|"
        r"acknowledge|consider|"
        r"approach|address|follow|obey|ensure|emphasi[sz]e|avoid)\b[^.!?\n]{0,200}(?:illegal|violence|never|harm|"
        r"respect|"
        r"dangerous|wrong|unethical|privacy|immoral|crime|discriminat|not (?:an? )?(?:appropriate|acceptable|okay|"
        r"something|accurate|effective|ethical|healthy|productive)|law\b|laws\b|equal|dignity|rights)",
    }
)
"""A sermon in the place of an answer."""

_GERMAN: Mapping[str, str] = MappingProxyType(
    {
        "cannot": r"\b(?:ich|wir)(?: [\pL]+){0,2} (?:kann|können|darf|dürfen|werde|"
        r"möchte)\b[^.!?\n]{0,60}\b(?:nicht|keine?n?)\b"
        r"[^.!?\n]{0,60}\b(?:helfen|weiterhelfen|unterstützen|beantworten|geben|bereitstellen|behilflich|liefern|"
        r"erfüllen|"
        r"nachkommen|teilen|anbieten|dienen|ausführen|schreiben|erstellen)\b|"
        r"\b(?:kann|darf|werde|möchte) ich\b[^.!?\n]{0,60}\b(?:nicht|keine?n?)\b[^.!?\n]{0,60}\b(?:helfen|weiterhelfen|"
        r"unterstützen|beantworten|geben|bereitstellen|behilflich|liefern|erfüllen|nachkommen|teilen|anbieten|dienen|"
        r"ausführen|schreiben|erstellen)\b|\b(?:kann|darf|werde|möchte) (?:ich )?(?:dir|ihnen|euch)?[^.!?\n]{0,40}"
        r"(?:nicht|keine?n?) [^.!?\n]{0,40}\b(?:helfen|weiterhelfen|unterstützen|beantworten|geben|behilflich)\b",
        "sorry": rf"{_OPENING}(?:(?:es )?tut mir (?:sehr |wirklich )?leid|leider|entschuldigung|ich bedauere|"
        rf"verzeihung)\b"
        r"[^.!?\n]{0,20}\b(?:aber )?(?:ich|kann|darf|wir|das|diese)\b[^.!?\n]{0,60}\b(?:nicht|keine?n?|außerstande)\b",
        "model": r"\b(?:als|ich bin)(?: nur)? (?:eine?)? ?(?:KI|künstliche Intelligenz|Sprachmodell|KI-[\pL]+|"
        r"großes Sprachmodell|"
        r"Chatbot|virtueller Assistent)\b",
        "refuse": r"\bich (?:muss|lehne|weigere)\b[^.!?\n]{0,60}\b(?:ablehnen|ab\b|mich\b)|\bdazu (?:habe ich|"
        r"liegen mir)\b"
        r"[^.!?\n]{0,30}\bkeine (?:informationen|angaben|daten)\b|\bich habe (?:leider )?kein(?:e|en)? (?:zugriff|"
        r"zugang|"
        r"informationen)\b",
    }
)
_FRENCH: Mapping[str, str] = MappingProxyType(
    {
        "cannot": r"\b(?:je|nous) ne (?:peux|pouvons|suis|sommes|saurais|vais|veux|souhaite)(?: malheureusement)? pas\b"
        r"[^.!?\n]{0,60}\b(?:aider|assister|fournir|répondre|donner|partager|accéder|satisfaire|donner suite|"
        r"écrire|créer|"
        r"en mesure|autorisée?|capable|discuter|participer|accomplir|rédiger|générer)\b|\bje ne (?:peux|"
        r"saurais) (?:vous|t'|te|"
        r"l'|y) ?(?:aider|répondre|fournir)\b",
        "sorry": rf"{_OPENING}(?:(?:je suis |nous sommes )?(?:vraiment |sincèrement )?désolée?s?|je m'excuse|"
        rf"je regrette|"
        r"malheureusement|toutes mes excuses)\b[^.!?\n]{0,20}\b(?:mais )?(?:je|nous|cela|"
        r"cette)\b[^.!?\n]{0,40}\b(?:pas|impossible|"
        r"aucune?)\b",
        "model": r"\b(?:en tant que?|en tant qu'|je suis)(?: une?)? ?(?:simple |grand )?(?:IA|"
        r"intelligence artificielle|modèle de "
        r"langage|modèle linguistique|assistant virtuel|chatbot)\b",
        "refuse": r"\bje (?:dois|me vois (?:contrainte?|obligée?) de) (?:refuser|décliner)\b|\bje (?:refuse|décline)\b|"
        r"\bje n'ai pas (?:accès|d'informations?|les informations?)\b",
    }
)
_SPANISH: Mapping[str, str] = MappingProxyType(
    {
        "cannot": r"\bno (?:puedo|podemos|podré|estoy en condiciones de|soy capaz de|me es posible|"
        r"estoy autorizad[oa] (?:a|para)|"
        r"voy a)\b[^.!?\n]{0,40}\b(?:ayudar|ayudarte|ayudarle|asistir|proporcionar|proporcionarte|proporcionarle|"
        r"responder|dar|"
        r"darte|darle|compartir|cumplir|ofrecer|ofrecerte|escribir|crear|generar|atender|participar|facilitar|"
        r"hacer eso|"
        r"hacerlo|brindar|brindarte)\b",
        "sorry": rf"{_OPENING}(?:lo siento|lo lamento|disculpa|disculpe|perdona|perdón|lamentablemente|"
        rf"desafortunadamente|"
        r"me temo que)\b[^.!?\n]{0,20}\b(?:pero )?\bno\b (?:puedo|podemos|tengo|estoy|es posible|me es)\b",
        "model": r"\b(?:como|soy)(?: solo)?(?: una?)? ?(?:IA|inteligencia artificial|modelo de lenguaje|"
        r"modelo lingüístico|asistente "
        r"virtual|chatbot)\b",
        "refuse": r"\b(?:debo|tengo que) (?:rechazar|declinar|negarme)\b|\bme niego a\b|\bno tengo (?:acceso|"
        r"información)\b",
    }
)
OTHERS: Mapping[str, Mapping[str, str]] = MappingProxyType({"de": _GERMAN, "fr": _FRENCH, "es": _SPANISH})
"""By language, beside English: models often decline in English whatever they are asked in."""
