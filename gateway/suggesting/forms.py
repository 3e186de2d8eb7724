"""Ways to ask, by language: openings that mean the same, what else they can be said as, courtesies, synonyms."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FormGroup:
    """Openings that ask the same way, and templates in which `<>` stands for what comes after them."""

    openings: tuple[str, ...]
    templates: tuple[str, ...]


FORMS: Mapping[str, tuple[FormGroup, ...]] = {
    "en": (
        FormGroup(
            (r"how (?:do|can|could|would|should) (?:i|we|you|one) ", r"how to ", r"what do i do to "),
            (
                "What are the steps to <>?",
                "I would like to <>, what is the procedure?",
                "Is there a guide that explains how to <>?",
                "<>: what must be done?",
            ),
        ),
        FormGroup(
            (r"where (?:do|can|could|should|would) (?:i|we|one) ",),
            ("What is the right place to <>?", "I need to <>, which page is that on?", "Who can tell me where to <>?"),
        ),
        FormGroup(
            (r"(?:can|may|could) (?:i|we|one) ", r"am i allowed to ", r"is it possible to "),
            ("Is there any way to <>?", "Do the rules let people <>?", "I wonder whether it is fine to <>"),
        ),
        FormGroup(
            (r"i (?:want|need|wish|would like|have) to ", r"i'd like to ", r"i must "),
            ("How does one <>?", "What does it take to <>?", "Looking for a way to <>"),
        ),
        FormGroup(
            (r"(?:what|which) (?:is|are) ",),
            ("Tell me about <>", "Where can one read about <>?", "I am looking for <>"),
        ),
        FormGroup((r"when (?:is|are) ",), ("At what time is <>?", "Do you know the hours when <>?")),
        FormGroup((r"when (?:do|will|does) ",), ("On which day will <>?", "How long until <>?")),
        FormGroup((r"who (?:is|are) ",), ("I am trying to find out who <> is", "Name of <>?")),
        FormGroup((r"i (?:have )?(?:lost|forgot(?:ten)?) ",), ("Help, <> is gone", "What if <> cannot be found?")),
        FormGroup((r"my ",), ("There is trouble: my <>", "What helps when my <>?")),
    ),
    "de": (
        FormGroup(
            (r"wie (?:kann|muss|soll|darf) (?:ich|man) ",),
            ("Welche Schritte sind nötig, um zu <>?", "Gibt es eine Anleitung: <>?", "Ich möchte <>, wie geht das?"),
        ),
        FormGroup((r"wo (?:kann|finde|bekomme) (?:ich|man) ",), ("An welcher Stelle gibt es <>?", "Ich suche <>")),
        FormGroup((r"(?:kann|darf) (?:ich|man) ",), ("Ist es erlaubt: <>?", "Gibt es eine Möglichkeit: <>?")),
        FormGroup((r"(?:was|welche) (?:ist|sind) ",), ("Ich suche etwas über <>", "Bitte erklären: <>")),
        FormGroup((r"ich (?:möchte|will|muss) ",), ("Wie kann man <>?", "Was braucht es, damit ich <> kann?")),
    ),
    "es": (
        FormGroup(
            (r"¿?c[óo]mo (?:puedo|se puede|debo) ",),
            ("¿Qué pasos hacen falta para <>?", "Quiero <>, ¿cuál es el procedimiento?", "Busco una guía para <>"),
        ),
        FormGroup((r"¿?d[óo]nde (?:puedo|se puede) ",), ("¿En qué sitio es posible <>?", "Busco el lugar para <>")),
        FormGroup((r"¿?(?:puedo|se puede) ",), ("¿Está permitido <>?", "¿Existe alguna forma de <>?")),
        FormGroup((r"¿?(?:cu[áa]l es|qu[ée] es) ",), ("Busco información sobre <>", "Explíqueme <>")),
        FormGroup((r"(?:quiero|necesito) ",), ("¿Cómo se puede <>?", "¿Qué hace falta para <>?")),
    ),
    "fr": (
        FormGroup(
            (r"comment (?:puis-je|dois-je|peut-on|faire pour) ",),
            ("Quelles sont les étapes pour <> ?", "Je voudrais <>, quelle est la marche à suivre ?"),
        ),
        FormGroup((r"o[ùu] (?:puis-je|peut-on) ",), ("À quel endroit est-il possible de <> ?", "Je cherche où <>")),
        FormGroup((r"(?:puis-je|peut-on) ",), ("Est-il permis de <> ?", "Existe-t-il un moyen de <> ?")),
        FormGroup((r"(?:quel est|quelle est|qu'est-ce que) ",), ("Je cherche <>", "Expliquez-moi <>")),
        FormGroup((r"je (?:veux|voudrais|dois) ",), ("Comment fait-on pour <> ?", "Que faut-il pour <> ?")),
    ),
}

COURTESIES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "en": (
        ("Good morning, a quick question before my meeting: ", ""),
        ("Sorry to bother you but I am stuck here, ", ", thanks a lot in advance"),
        ("Hello everybody, does anyone happen to know this: ", ""),
    ),
    "de": (
        ("Guten Morgen, ich habe eine kurze Frage dazu: ", ""),
        ("Entschuldigung, ich komme hier nicht weiter, ", ", vielen Dank schon im Voraus"),
    ),
    "es": (
        ("Buenos días, tengo una pregunta muy breve: ", ""),
        ("Perdone la molestia, no consigo avanzar, ", ", muchas gracias de antemano"),
    ),
    "fr": (
        ("Bonjour, j'ai une petite question à ce sujet : ", ""),
        ("Excusez-moi de vous déranger, je suis bloqué, ", ", merci beaucoup d'avance"),
    ),
}
"""What stands before and after."""

SYNONYMS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "laptop": "notebook",
        "computer": "machine",
        "phone": "mobile",
        "mail": "message",
        "email": "message",
        "holiday": "vacation",
        "annual leave": "vacation",
        "password": "passphrase",
        "office": "site",
        "meeting room": "conference room",
        "payslip": "wage slip",
        "salary": "pay",
        "purchase": "buy",
        "invoice": "bill",
        "broken": "not working",
        "find out": "learn",
        "change": "alter",
        "report": "tell you about",
        "get": "obtain",
        "car": "vehicle",
        "trip": "journey",
        "colleague": "co-worker",
        "manager": "boss",
        "ill": "sick",
        "employees": "staff",
    },
    "de": {
        "laptop": "notebook",
        "rechner": "computer",
        "handy": "mobiltelefon",
        "urlaub": "ferien",
        "gehalt": "lohn",
        "rechnung": "faktura",
        "kaputt": "defekt",
        "chef": "vorgesetzter",
        "ändern": "wechseln",
    },
    "es": {
        "ordenador": "equipo",
        "móvil": "teléfono",
        "vacaciones": "días libres",
        "sueldo": "salario",
        "coche": "vehículo",
        "cambiar": "modificar",
        "jefe": "superior",
    },
    "fr": {
        "ordinateur": "poste",
        "portable": "téléphone",
        "vacances": "congés",
        "salaire": "paie",
        "voiture": "véhicule",
        "changer": "modifier",
        "chef": "responsable",
    },
}
"""Words that say about the same at work."""
