"""What the desk itself says to coaches, in Dutch (B1, "je"): problems, outcomes, why something was not sent."""

from __future__ import annotations

from collections.abc import Mapping

PROBLEMS: Mapping[str, str] = {
    # who you are
    "logged_out": "Je bent uitgelogd. Log opnieuw in.",
    "wrong_login": "E-mailadres of wachtwoord klopt niet. Na vijf keer fout kun je een kwartier lang niet inloggen.",
    "invitation_over": "Deze uitnodiging werkt niet meer. Vraag je teamleider om een nieuwe.",
    "weak_password": "Kies een ander wachtwoord: minstens 12 tekens, en niet je naam of iets dat iedereen raadt.",
    "other_site": "Dit verzoek kwam van een andere website en is geweigerd.",
    "wrong_token": "Deze pagina is te oud. Laad de pagina opnieuw.",
    "no_cases": "Je ziet alleen het overzicht, geen gesprekken.",
    "too_many_screens": "Tekkie staat op te veel schermen tegelijk open. Sluit er een paar.",
    # what was asked
    "not_found": "Dit gesprek is er niet, of het is van een ander team.",
    "nothing_here": "Dit is er niet (meer).",
    "wrong_shape": "Dit verzoek klopt niet. Laad de pagina opnieuw.",
    "too_big": "Dit is te groot.",
    "too_slow": "Het versturen duurde te lang. Probeer het nog eens.",
    "empty": "Er staat nog niets in je bericht.",
    "too_long": "Dit is te lang. Knip het in stukken.",
    "unknown_topic": "Dit antwoord bestaat niet (meer).",
    "unknown_quick": "Dit snelle antwoord bestaat niet (meer).",
    "fill_in": "Vul eerst alle lege plekken in.",
    "unknown_outcome": "Kies hoe het gesprek is afgelopen.",
    "unknown_coach": "Deze collega is er niet (meer).",
    "yourself": "Dit gesprek is al van jou.",
    "unknown_team": "Dit team is er niet (meer).",
    "same_team": "Dit gesprek is al van dit team.",
    "wrong_time": "Kies een moment in de komende 30 dagen.",
    "wrong_position": "Dit bericht is er niet.",
    "not_failed": "Dit bericht is niet mislukt; het hoeft niet opnieuw.",
    # how the case stands; {name} is a colleague
    "taken_before": "{name} was je voor.",
    "taken": "{name} heeft dit gesprek.",
    "not_taken": "Niemand heeft dit gesprek nu. Pak het eerst.",
    "closed": "Dit gesprek is afgerond.",
    "not_closed": "Dit gesprek is niet afgerond; je kunt er gewoon in verder.",
    "other_open": "Deze persoon heeft al een nieuw gesprek open.",
    "stopped": "Deze persoon wilde niet verder met een coach. Wacht tot diegene er zelf om vraagt.",
    "forgotten": "Deze persoon heeft alles laten wissen. Wacht tot diegene er zelf om vraagt.",
    # sending
    "window_closed": "De 24 uur van WhatsApp zijn voorbij. Stuur een sjabloon; na een antwoord kun je weer schrijven.",
    "window_open": "Je kunt nog gewoon schrijven; een sjabloon is niet nodig.",
    "no_template": "Voor dit kanaal of deze taal is geen sjabloon ingesteld. Vraag je beheerder.",
    "template_waits": "Er is al een sjabloon gestuurd. Wacht op een antwoord.",
    "template_failed": "Het sjabloon kon niet worden verstuurd. Probeer het straks nog eens.",
    # the rest of the house
    "no_answers": "De antwoorden zijn even niet te bereiken. Probeer het zo nog eens.",
    "wrong_kind": "Dit soort bestand kan hier niet veilig open.",
    "file_too_big": "Dit bestand is groter dan 16 MB en kan hier niet open.",
    "file_gone": "Dit bestand is er niet meer. Vraag de persoon het opnieuw te sturen.",
    "file_away": "Het bestand is nu niet op te halen. Probeer het straks nog eens.",
    "broken": "Er ging iets mis. Probeer het over een minuut nog eens.",
    "later": "Even geen verbinding met de gegevens. Probeer het zo nog eens.",
}

OUTCOME_TITLES: Mapping[str, str] = {
    "helped": "Geholpen",
    "referred": "Doorverwezen",
    "school": "Naar een school of opleiding",
    "no_answer": "Geen antwoord meer",
    "not_for_us": "Niet voor ons",
    "handed_back": "Terug naar de assistent",
    "cancelled": "Zelf gestopt",
}

# By messages.Failure; what is not listed reads as "other".
NOT_SENT: Mapping[str, str] = {
    "refused": "Het kanaal neemt dit bericht niet aan. Schrijf het anders.",
    "blocked": "Deze persoon wil geen berichten meer of is er niet meer.",
    "away": "Het kanaal was te lang niet te bereiken.",
    "closed": "De 24 uur van WhatsApp waren voorbij.",
    "moved": "Deze persoon heeft een ander adres.",
    "expired": "Het bericht kon een week lang niet worden verstuurd.",
    "parked": "Wacht tot de persoon weer schrijft.",
    "other": "Het versturen is mislukt.",
}

OTHER_TOPIC = "Iets anders"  # of the form's own "other"
GROUPS: Mapping[str, str] = {
    "programme": "Programmeerscholen",
    "work": "Werk",
    "study": "Opleiding",
    "money": "Geld",
    "rights": "Rechten",
    "family": "Ouders",
    "teaching": "Lesgeven",
    "company": "Bedrijven",
    "coach_and_bot": "Over Tekkie",
    "safety": "Veiligheid",
    "small_talk": "Kletsen",
    "beyond": "Overig",
}
