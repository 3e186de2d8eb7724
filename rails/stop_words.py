"""The small words by which languages in Latin script are told apart."""

from collections.abc import Mapping
from types import MappingProxyType

from rails.wordlists import word_set

_ENGLISH = word_set(
    "the an and or is are was were be been am do does did done have has had i i'm i've you he she it it's we they "
    "me us my your our their his her its this that these those there here what which who whom whose how when "
    "where why can can't could will won't would should may might must not no yes to of in on at for from with "
    "without by about into onto as if but so than then too very please any some all more most other another just "
    "only also still again up out off over after before between because while during get got need want help let "
    "don't doesn't didn't isn't"
)
_HOMOGRAPHS = word_set(
    "die hat war man men van care pot come comment dove son sin min var per din ben mu el la le de et es du un "
    "une no on me do so as an in at her over is am was bin hier alle sans den des dem mi ma sa se si ne nu om af "
    "av da dos mit al mere mil kal kar tak hum tum ho par ye ki ko ka hai ana man an la kam eh voi ai sao mai hun gun "
    "lam leh thi ek mesh mush oli kun fi hal xin ar mo ba hay mar ho si nova sin seo leat fica aon"
)
"""Words of other languages that English messages have too, in names or as words of their own."""
_OTHERS = {
    "de": (
        "die der das ein eine einen einem einer und oder ist sind waren habe haben ich er sie wir ihr mein meine "
        "meinen meinem meiner nicht kein keine wer wie wann wo warum kann können muss wird zu zum zur von vom im auf "
        "für aus bei nach über um wenn aber mir mich sich bitte gibt dass auch noch mehr wurde werden nur durch was "
        "mit in den"
    ),
    "fr": (
        "les et ou est sont était être ai avez ont je j'ai tu il elle nous vous ils elles mon mes votre notre ce "
        "cette ces que qui quoi où pourquoi peut puis pas oui au aux dans sur avec par mais une des du comment pour "
        "puis-je c'est d'un d'une qu'il l'on plus leur son ses me ne peux veux suis de la le"
    ),
    "es": (
        "los las una unos unas son era ser estar está están tengo tiene yo él ella nosotros mis sus este esta estos "
        "qué me no en que quién cómo como cuándo cuando dónde donde por para puedo puede sí al del con pero lo más mi "
        "su es el un de la"
        " quiero necesito olvidé funciona imprime hoy ayuda contraseña hay cuál solicitar ordenador "
        "nuevo nueva impresora"
    ),
    "pt": (
        "os um uma uns umas ou é são está estão tenho tem eu ele ela nós meu minha meus seu sua este esta isso que "
        "quem como quando onde por para posso pode não sim ao à da dos das em na nos nas com mas mais foi pelo pela"
        " preciso quero esqueci consigo funciona imprime hoje ajuda senha minha fica pedir computador "
        "novo nova férias impressora"
    ),
    "nl": (
        "de het een en is in van zijn waren heb heeft hebben ik jij je hij zij ze wij jullie mijn jouw uw ons dit dat "
        "deze wat wie hoe wanneer waar waarom kunnen moet wil wordt niet geen ja nee te aan voor met uit bij naar als "
        "maar mij ook"
    ),
    "pl": (
        "lub jest są był była być mam ma mają ja ty ona wy oni mój moja moje moją twój się kto jak to do kiedy gdzie "
        "dlaczego czy mogę może nie tak ze na po przy dla od za ale jeśli mnie ten ta te tego już jego jej przez oraz "
        "który"
    ),
    "it": (
        "il lo gli uno sono era essere ho hai abbiamo hanno io lui lei noi voi mio mia miei suo sua questo questa che "
        "chi quando dove perché posso può non sì al alla la come di del della nel nella con su ma più è una un mi"
        " ho si vorrei dimenticato funziona riesco oggi aiutare stampante trova mensa bisogno chiedere "
        "nuovo nuova ferie"
    ),
    "ga": (
        "an ar tá níl cá conas mo mé agus ba mhaith liom uaim teastaíonn tú sé sí bhfuil raibh dearmad rinne agam "
        "agat againn leat mar cén conas cathain cé ní oifig ríomhaire phasfhocal obair iarraidh nua aon seo sin le do"
    ),
    "ms": (
        "yang dan di ke dari daripada untuk dengan pada adalah ini itu tidak akan telah oleh saya anda kami kita "
        "mereka dia dalam atau juga sebagai boleh bagaimana apa apakah mana bila mengapa ialah ada dapat lebih "
        "seperti kepada tetapi kerana satu orang bagi semua banyak tersebut bukan karena bisa sudah ketika antara "
        "sehingga"
    ),
    "tr": (
        "ve bir bu için ile ne nasıl nerede zaman mı benim var yok değil çok daha olarak gibi kadar hangi olan "  # noqa: RUF001 - the dotless i is a Turkish letter
        "şifremi istiyorum yapabilirim ama veya kaç gün kim kime neden niye nereden nereye bugün yarın dün "  # noqa: RUF001 - the dotless i is a Turkish letter
        "gerekiyor lütfen acaba hesabım bana beni sana şu biri birisi yine eder misin misiniz mısınız sonra önce "  # noqa: RUF001 - the dotless i is a Turkish letter
        "içinde nasil icin degil cok yarin gun bugun lutfen sifremi"
    ),
    "sv": "och att det är ett jag inte som på för med har mitt hur vad när kan till vi du mina från eller",
    "da": "og at det er et jeg ikke som på for med har mitt mit hvordan hva hvad når hvor kan til vi du fra eller",
    "fi": (
        "ja ei se että mitä miten missä milloin minun voin minä olen ovat tai kun jos mutta kanssa onko minulla "
        "minua voinko voiko mistä mihin kuka kuinka kenelle oliko saanko miksi mikä mitkä pitääkö pitää haluan "
        "haluaisin tarvitsen en enkä eikä ole oli tänään huomenna eilen taas uuden uusi kiitos joku monta missa "
        "mista mita minulle sinun hän vielä myös kaksi"
    ),
    "cs": "je se že jak kde kdy co mám můj moje není jsem jsou pro ale nebo si mi když být ten která",
    "ro": "și este nu cum unde când ce pot meu mea pentru cu din la sunt să care mi-am vreau prin",
    "hu": "az és nem hogy van egy hogyan hol mikor mit vagyok meg ez el lehet kell vagy",
    "vi": (
        "tôi là của không và có cho được làm thế nào khi này những các một với trong ở đâu như để bị xin giúp tại "
        "sao ai muốn cần toi khong giup voi duoc nhieu cua lam"
    ),
    "hi": (
        "hai hain hoon hun tha thi ka ki ke ko se mein mai mera meri mere mujhe mujhko hum hame tum aap apna apni "
        "apne yeh ye woh koi kya kyu kyun kyon kaise kab kahan kaun kitna kitne kitni nahi nahin kar karna karne "
        "karo karu kare karta karte karke raha rahi rahe ho hua hui gaya gayi gaye sakta sakte sakti chahiye aur "
        "par bhi liye tak abhi phir wala wali naya nayi bahut kal ghar mil milega batao batau wapas madad ek do "
        "hoga"
    ),
    "ar": (
        "al el wa fi min ila ana nahnu hal mata ayna kayfa kayf keif kaif limatha leish lesh leh ezay izay fein "
        "fayn wein feen emta imta mish mesh mush ureed oreed uridu urid ayez aayez awez 3ayez 3aref 3ala ala an "
        "beta3i bita3i mumkin momkin yumkinuni samaht lazim lazem shu shou eh yom yawm kam la lam laysa lessa inta "
        "enta wala hatha hadha hada baqi man ghadan bukra mehtag mahtaj kalimat kelmet ijaza ejaza agaza shukran"
    ),
}
_SAME_AS = {"id": "ms", "nb": "da", "nn": "da", "no": "da", "ur": "hi"}
"""Languages that share their small words with another one of the table."""


def _languages_of() -> Mapping[str, tuple[str, ...]]:
    table: dict[str, list[str]] = {word: ["en"] for word in _ENGLISH}
    for language, words in _OTHERS.items():
        for word in word_set(words):
            table.setdefault(word, []).append(language)
    return MappingProxyType({word: tuple(languages) for word, languages in table.items()})


KNOWN = frozenset({"en", *_OTHERS, *_SAME_AS})
"""Languages that a vote can name."""
TYPED_IN_LATIN = frozenset({"hi", "ur", "ar"})
"""Languages of other scripts that are typed on Latin keyboards too."""
LANGUAGES_OF = _languages_of()
"""By word: the languages whose small word it is."""


def is_strong(word: str, language: str) -> bool:
    """Whether a small word of `language` is a sign of it: not one that is as well a name, or a word of English."""
    return word not in _HOMOGRAPHS and (language == "en" or word not in _ENGLISH)


def vote_name(language: str) -> str:
    """Returns the language whose list stands for `language`."""
    return _SAME_AS.get(language, language)
