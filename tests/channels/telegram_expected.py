"""What must be read from each recorded update; its number is left out."""

from __future__ import annotations

from dataclasses import replace

from telegram import CallbackGame, InlineKeyboardButton

from bot.channels.telegram_updates import Callback
from bot.messages import Attachment, Incoming, Kind

SAMIRA, EMINE, YUSUF = "5011223344", "5022334455", "5033445566"
GROUP, SUPERGROUP, CHANNEL = "-4112233445", "-1004112233445", "-1001234567890"


def of(
    address: str,
    kind: Kind,
    text: str = "",
    payload: str | None = None,
    *,
    id: int | None = None,
    hint: str | None = None,
    alias: str | None = None,
    source: str | None = None,
    courtesy: Callback | None = None,
    file: Attachment | None = None,
) -> Incoming:
    """An expected Incoming; its external id is the number of the update."""
    message_id = str(id) if id else None
    incoming = Incoming("telegram", "", address, kind, text, payload, hint, alias, message_id, source, courtesy)
    return replace(incoming, attachment=file)


def pressed(query: int, data: str, *rows: list[tuple[str, str]]) -> Callback:
    keyboard = tuple(tuple(InlineKeyboardButton(title, callback_data=code) for title, code in row) for row in rows)
    return Callback(str(4382700000000000000 + query), data, keyboard)


NEDERLANDS = ("Nederlands", "language:nl")
EXPECTED = {
    "text": of(SAMIRA, Kind.TEXT, "hoi, wat kost die opleiding\u00a0eigenlijk?", id=2101, hint="nl"),
    "start": of(EMINE, Kind.TEXT, "/start", id=2102, hint="tr"),
    "start with a source": of(YUSUF, Kind.TEXT, "/start oba_osdorp-2", id=2103, hint="ar", source="oba_osdorp-2"),
    "start with a source that is none": of(YUSUF, Kind.TEXT, "/start wat kost het?", id=2104, hint="ar"),
    "start at this bot": of(SAMIRA, Kind.TEXT, "/start poster7", id=2105, hint="nl", source="poster7"),
    "taal": of(SAMIRA, Kind.TEXT, "/taal", id=2106, hint="nl-NL"),
    "an unknown command": of(SAMIRA, Kind.TEXT, "/weer morgen", id=2107, hint="nl"),
    "a path that looks like a command": of(
        SAMIRA, Kind.TEXT, "ik las op example.org/bottle iets over een bot", id=2108, hint="nl"
    ),
    "only emoji": of(EMINE, Kind.TEXT, "👩‍💻👍🏽", id=2109),
    "text with entities": of(
        EMINE, Kind.TEXT, "Merhaba 👋 buraya bakın, kurs ücretli mi?\ninfo@example.org", id=2110, hint="tr"
    ),
    "a text of 4,096 characters": of(
        SAMIRA, Kind.TEXT, "wat kost een jaar? " * 215 + "zeg het nu!", id=2122, hint="nl"
    ),
    "right to left with direction marks": of(YUSUF, Kind.TEXT, "كم تكلف الدراسة في TechGrounds؟", id=2111, hint="ar"),
    "nothing but direction marks": of(YUSUF, Kind.MEDIA, payload="other", id=2112, hint="ar"),
    "a reply to a message of ours": of(SAMIRA, Kind.TEXT, "en die gratis dan?", id=2113, hint="nl"),
    "a forwarded message": of(EMINE, Kind.TEXT, "kızım yazılımcı olmak istiyor", id=2114, hint="tr"),
    "forwarded from a channel": of(EMINE, Kind.TEXT, "Open dag op zaterdag", id=2115, hint="tr"),
    "written by way of an inline bot": of(SAMIRA, Kind.TEXT, "is er ook avondles", id=2116, hint="nl"),
    "an edited message": of(SAMIRA, Kind.EDITED, hint="nl"),
    "a live location that moved": of(SAMIRA, Kind.EDITED, hint="nl"),
    "a pinned message": of(SAMIRA, Kind.IDLE, payload="service", hint="nl"),
    "a timer for deleting messages": of(SAMIRA, Kind.IDLE, payload="service", hint="nl"),
    "a message from a bot": of("987654321", Kind.IDLE, payload="bot"),
    "a voice note": of(
        EMINE,
        Kind.MEDIA,
        payload="voice",
        id=2201,
        hint="tr",
        file=Attachment("AwACAgQAAxkBAAIFake01", "", "audio/ogg", 28731),
    ),
    "music": of(
        SAMIRA,
        Kind.MEDIA,
        payload="voice",
        id=2202,
        hint="nl",
        file=Attachment("CQACAgQAAxkBAAIFake02", "les.mp3", "audio/mpeg", 3145728),
    ),
    "a photo": of(
        YUSUF,
        Kind.MEDIA,
        payload="picture",
        id=2203,
        hint="ar",
        file=Attachment("AgACAgQAAxkBAAIFake03x", "", "image/jpeg", 81234),
    ),
    "a photo with words": of(
        SAMIRA,
        Kind.MEDIA,
        "is dit diploma genoeg?",
        "picture",
        id=2204,
        hint="nl",
        file=Attachment("AgACAgQAAxkBAAIFake04x", "", "image/jpeg", 90321),
    ),
    "a video": of(
        SAMIRA,
        Kind.MEDIA,
        payload="picture",
        id=2205,
        hint="nl",
        file=Attachment("BAACAgQAAxkBAAIFake05", "IMG_0012.MP4", "video/mp4", 2411724),
    ),
    "a round video": of(
        EMINE,
        Kind.MEDIA,
        payload="picture",
        id=2206,
        hint="tr",
        file=Attachment("DQACAgQAAxkBAAIFake06", "", "video/mp4", 812345),
    ),
    "an animation": of(
        SAMIRA,
        Kind.MEDIA,
        payload="picture",
        id=2207,
        hint="nl",
        file=Attachment("CgACAgQAAxkBAAIFake07", "giphy.mp4", "video/mp4", 99123),
    ),
    "a sticker": of(
        SAMIRA,
        Kind.MEDIA,
        payload="picture",
        id=2208,
        hint="nl",
        file=Attachment("CAACAgIAAxkBAAIFake08", "", "image/webp", 21230),
    ),
    "a document": of(
        YUSUF,
        Kind.MEDIA,
        payload="file",
        id=2209,
        hint="ar",
        file=Attachment("BQACAgQAAxkBAAIFake09", "cv.pdf", "application/pdf", 183022),
    ),
    "a poll": of(SAMIRA, Kind.MEDIA, payload="other", id=2210, hint="nl"),
    "a die": of(SAMIRA, Kind.MEDIA, payload="other", id=2211, hint="nl"),
    "a story": of(SAMIRA, Kind.MEDIA, payload="other", id=2212, hint="nl"),
    "a location": of(SAMIRA, Kind.LOCATION, "52.3581, 4.8032", id=2213, hint="nl"),
    "a venue": of(EMINE, Kind.LOCATION, "52.3579, 4.8051", id=2214, hint="tr"),
    "a contact": of(EMINE, Kind.CONTACT, id=2215, hint="tr"),
    "something no library knows yet": of(SAMIRA, Kind.MEDIA, payload="other", id=2216, hint="nl"),
    "a button": of(
        EMINE,
        Kind.CHOICE,
        "Türkçe",
        "language:tr",
        id=2301,
        hint="tr",
        courtesy=pressed(101, "language:tr", [NEDERLANDS, ("Türkçe", "language:tr")], [("العربية", "language:ar")]),
    ),
    "a button that was pressed before": of(
        EMINE,
        Kind.CHOICE,
        "Danışmanla görüşme",
        "/talk_to_coach",
        id=2302,
        hint="tr",
        courtesy=pressed(102, "/talk_to_coach", [("✓ Danışmanla görüşme", "/talk_to_coach")]),
    ),
    "a button with entities": of(
        SAMIRA,
        Kind.CHOICE,
        "Tekenen",
        '/test_answer{"choice":"0-1"}',
        id=2303,
        hint="nl",
        courtesy=pressed(
            103,
            '/test_answer{"choice":"0-1"}',
            [("Puzzelen", '/test_answer{"choice":"0-0"}')],
            [("Tekenen", '/test_answer{"choice":"0-1"}')],
        ),
    ),
    "a button with a stand-in for long data": of(
        YUSUF,
        Kind.TEXT,
        "كم راتب المبرمج؟",
        id=2304,
        hint="ar",
        courtesy=pressed(
            104,
            "#0f1e2d3c4b5a69788796a5b4c3d2e1f0",
            [("كم راتب المبرمج؟", "#0f1e2d3c4b5a69788796a5b4c3d2e1f0")],
            [("شيء آخر", "/something_else")],
        ),
    ),
    "a button under a message Telegram no longer shows": of(
        SAMIRA, Kind.CHOICE, payload="/cost", id=1201, hint="nl", courtesy=pressed(105, "/cost")
    ),
    "a stand-in under a message Telegram no longer shows": of(
        SAMIRA, Kind.TEXT, id=1202, hint="nl", courtesy=pressed(106, "#ffeeddccbbaa99887766554433221100")
    ),
    "a forged button": of(
        "5044556677",
        Kind.CHOICE,
        payload='/restart{"a":',
        id=2307,
        hint="en",
        courtesy=pressed(107, '/restart{"a":', [NEDERLANDS]),
    ),
    "a button in a group": of(GROUP, Kind.IDLE, payload="button", courtesy=pressed(108, "language:nl")),
    "a button in a topic of a group": of(SUPERGROUP, Kind.IDLE, payload="button", courtesy=pressed(111, "case:take")),
    "a button under an inline message": of(SAMIRA, Kind.IDLE, payload="button", courtesy=pressed(109, "language:nl")),
    "a game button": of(
        SAMIRA,
        Kind.TEXT,
        id=2310,
        hint="nl",
        courtesy=Callback("4382700000000000110", "", ((InlineKeyboardButton("Speel", callback_game=CallbackGame()),),)),
    ),
    "blocked": of(EMINE, Kind.BLOCKED, hint="tr"),
    "unblocked": of(EMINE, Kind.UNBLOCKED, hint="tr"),
    "added to a group": of(GROUP, Kind.GROUP, hint="nl"),
    "made an administrator": of(SUPERGROUP, Kind.IDLE, payload="membership", hint="nl"),
    "removed from a group": of(GROUP, Kind.IDLE, payload="membership", hint="nl"),
    "added to a channel": of(CHANNEL, Kind.IDLE, payload="membership", hint="nl"),
    "words in a group": of(GROUP, Kind.GROUP, hint="nl"),
    "a command in a supergroup": of(SUPERGROUP, Kind.GROUP, hint="tr"),
    "a caption in a group": of(GROUP, Kind.GROUP, hint="nl"),
    "an anonymous administrator": of(SUPERGROUP, Kind.GROUP),
    "we joined": of(GROUP, Kind.IDLE, payload="service", hint="nl"),
    "a group gets a new id, told in the old one": of(SUPERGROUP, Kind.IDLE, payload="moved", alias=GROUP),
    "a group gets a new id, told in the new one": of(SUPERGROUP, Kind.IDLE, payload="moved", alias=GROUP),
}
