"""How people are addressed and how they sign, in English, Italian, German, Spanish, French and Portuguese.

A name that no list knows gives itself away by its place: behind a greeting, a title or an introduction, or below a
closing. These are the words of such places, and the words that stand there without being a name.
"""

from __future__ import annotations

from typing import Final

#: Openers behind which a name stands, capitalised or not.
GREETINGS: Final = (
    "hi|hello|hey|dear|good morning|good afternoon|good evening|morning|"
    "ciao|salve|buongiorno|buonasera|buon pomeriggio|gentile|gentilissim[oa]|gent\\.m[oa]|car[oa]|carissim[oa]|egregio|"
    "hallo|liebe[rs]?|sehr geehrte[rs]?|guten morgen|guten tag|guten abend|moin|servus|grüezi|"
    "hola|buenos días|buenas tardes|buenas noches|estimad[oa]|querid[oa]|"
    "bonjour|bonsoir|salut|coucou|cher|chère|"
    "olá|oi|bom dia|boa tarde|boa noite|prezad[oa]|carissim[oa]"
)
#: Words of thanks and courtesy behind which only a capitalised word is a name.
THANKS: Final = "thanks|thank you|thx|many thanks|grazie|danke|vielen dank|gracias|merci|obrigad[oa]"
TITLES: Final = (
    "mr|mrs|ms|miss|mx|dr|prof|professor|sir|"
    "sig|signor|signora|signorina|sig\\.ra|sig\\.na|dott|dottor|dottore|dott\\.ssa|dottoressa|dr\\.ssa|ing|avv|arch|"
    "rag|geom|professoressa|prof\\.ssa|avvocato|ingegnere|"
    "herrn?|frau|doktor|"
    "señor|señora|señorita|sr|sra|srta|dra|don|doña|"
    "monsieur|madame|mademoiselle|mme|mlle|docteur|maître|"
    "senhor|senhora|doutor|doutora|professora"
)
#: Introductions that leave no doubt, and those (I am ...) behind which other things stand as well.
INTRODUCTIONS: Final = (
    "my name is|my name's|mi chiamo|il mio nome è|mein name ist|ich heiße|ich heisse|me llamo|mi nombre es|"
    "je m'appelle|mon nom est|me chamo|meu nome é"
)
WEAK_INTRODUCTIONS: Final = (
    "i'm|i am|this is|sono|ich bin|hier ist|soy|je suis|ici|sou o|sou a|sou|aqui é o|aqui é a|aquí"
)
#: What follows a name in an introduction, and tells it from "I am German".
AFTER_A_NAME: Final = "from|of|at|with|di|da|del|della|dell'|von|vom|bei|aus|de|del|da|do|chez"
CLOSINGS: Final = (
    "best|best regards|kind regards|warm regards|warmest regards|regards|best wishes|all the best|cheers|"
    "sincerely|sincerely yours|yours sincerely|yours faithfully|yours truly|yours|thanks|thank you|thx|many thanks|"
    "saluti|cordiali saluti|distinti saluti|un saluto|un caro saluto|cari saluti|un abbraccio|a presto|cordialmente|"
    "grazie|"
    "mit freundlichen grüßen|mit freundlichen grüssen|freundliche grüße|viele grüße|liebe grüße|beste grüße|"
    "herzliche grüße|schöne grüße|gruß|grüße|lg|vg|mfg|bg|"
    "saludos|saludos cordiales|un saludo|un cordial saludo|atentamente|un abrazo|abrazos|gracias|"
    "cordialement|bien cordialement|bien à vous|bien à toi|sincères salutations|à bientôt|amicalement|bises|merci|"
    "atenciosamente|abraços|um abraço|cumprimentos|com os melhores cumprimentos|melhores cumprimentos|att|obrigad[oa]"
)
#: Particles inside a name.
PARTICLES: Final = "de|di|da|do|dos|das|del|della|dello|van|von|der|den|la|le|el|y|e"
#: Capitalised words that stand in those places and name nobody.
_NOT_NAMES: Final = (
    # to whom it may concern
    "all everyone everybody team folks friends guys there both again sir madam sirs colleagues friend mate customer "
    "customers member members reader "
    "tutti tutte team colleghi colleghe amici signori signore ragazzi cliente clienti a ancora "
    "zusammen alle team leute kollegen kolleginnen damen herren kunden kunde freunde "
    "todos todas equipo amigos amigas señores colegas clientes "
    "tous toutes équipe amis messieurs mesdames monsieur madame collègues client "
    "equipe pessoal amigos senhores "
    # thanks that go on
    "so very much lot million mille tante infinite ancora anche molto per vielen dank schön sehr mal für nochmal "
    "muchas mucho muchísimas por de beaucoup bien pour muito muita pela pelo demais "
    # what follows I am, or opens a sentence
    "i i'm i'd we you he she it they the this that how what when where why if as in on at to for and or but my your "
    "our io noi tu lei voi il lo la le gli un una che come quando dove se in su per e o ma mi ti vi ci le ho hai ha "
    "ich wir sie du er es der die das ein eine wie was wann wo wenn und oder aber mein ihr unser ihre haben hast "
    "yo tú él ella el los las un una que cómo qué cuándo si en por y o pero mi su nuestro te le me ha he "
    "je tu il elle nous vous on le les un une des que comment quand où si et ou mais mon ma votre notre j'ai "
    "eu você ele ela nós o a os as um uma que como quando se em por e ou mas meu minha seu "
    "best kind warm regards cheers thanks hope hi hello hey dear yes no ok okay please not just happy sorry glad "
    "saluti cordiali distinti grazie ciao buongiorno buonasera salve gentile spero sì prego lieto felice "
    "viele liebe beste grüße gruß hallo guten tag ja nein bitte gerne danke freundlichen mit freundliche "
    "saludos un cordial hola gracias buenos sí espero encantado "
    "cordialement bonjour bonsoir merci oui non cordialement bien à "
    "abraços cumprimentos olá oi obrigado obrigada sim não espero "
    "mr mrs ms dr dra prof sr sra srta sig ing avv dott arch rag geom herr frau mme mlle "
    "linkedin whatsapp telegram google zoom teams slack instagram facebook microsoft "
    "january february march april june july august september october november december "
    "monday tuesday wednesday thursday friday saturday sunday "
    "ceo cto cfo coo hr head director manager founder partner responsabile direttore leiter leiterin"
)
NOT_NAMES: Final = frozenset(_NOT_NAMES.split())
#: Names that are words too: at the start of a sentence they count only where nothing else can be meant.
_WORDS_TOO: Final = (
    "will may mark grace rose rosa bianco bianca art bill frank hope joy faith june april august guy chance christian "
    "dean penny jean rob sue pat nick max drew chase grant miles dawn eve ivy olive ruby sunny summer autumn wade "
    "gioia stella luce vera viola serena allegra fortunato franco leone sole marina alba celeste bruno neri rossi "
    "verdi ricci costa conte villa fontana serra marino mai klein gross lang kurz weiss schwarz braun wolf koch bauer "
    "schneider weber ernst engel stein berg blanco flores luz paz sol mercedes rey moreno delgado petit grand blanc "
    "noir rose pierre claire aimée constant parfait reis santos luz flor rosa pereira silva"
)
WORDS_TOO: Final = frozenset(_WORDS_TOO.split())
#: Endings of pet names, put where the name's last vowel was (Marta: Martina, Martinha, Martita).
_PET_ENDINGS: Final = "ino ina etto etta uccio uccia ito ita ico ica inho inha zinho zinha chen lein"
PET_ENDINGS: Final = tuple(_PET_ENDINGS.split())
