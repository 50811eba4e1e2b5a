"""What the Bot API takes: every call is read and checked with aiogram's models, a library we do not run ourselves.

aiogram's models let unknown keys through; here they are refused, and so is what no model says: too long a text,
too much data behind a button.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from aiogram import methods
from pydantic import BaseModel, ValidationError

Json = dict[str, Any]

METHODS: dict[str, type[methods.TelegramMethod[Any]]] = {
    "getMe": methods.GetMe,
    "getUpdates": methods.GetUpdates,
    "setWebhook": methods.SetWebhook,
    "deleteWebhook": methods.DeleteWebhook,
    "getWebhookInfo": methods.GetWebhookInfo,
    "sendMessage": methods.SendMessage,
    "sendVenue": methods.SendVenue,
    "sendChatAction": methods.SendChatAction,
    "answerCallbackQuery": methods.AnswerCallbackQuery,
    "createForumTopic": methods.CreateForumTopic,
    "closeForumTopic": methods.CloseForumTopic,
    "editMessageReplyMarkup": methods.EditMessageReplyMarkup,
    "setMyCommands": methods.SetMyCommands,
    "setMyName": methods.SetMyName,
    "setMyDescription": methods.SetMyDescription,
    "setMyShortDescription": methods.SetMyShortDescription,
}
_MOST_UNITS = {
    "sendMessage": {"text": 4096},
    "answerCallbackQuery": {"text": 200},
    "createForumTopic": {"name": 128},
    "setMyName": {"name": 64},
    "setMyDescription": {"description": 512},
    "setMyShortDescription": {"short_description": 120},
}
_ACTIONS = ("typing", "find_location")
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


def read(method: str, form: Mapping[str, str]) -> Json:
    """The values of a form: what is no text in the model is JSON; numbers and objects come out as such."""
    fields = METHODS[method].model_fields
    return {name: value if _is_text(fields, name) else json.loads(value) for name, value in form.items()}


def problems(method: str, values: Json) -> list[str]:
    """Why the real Bot API would not take this call, whatever the state of chats and webhooks."""
    try:
        model = METHODS[method].model_validate(values)
    except ValidationError as error:
        return [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    return [f"unknown key {key}" for key in unknown_keys(model)] + list(_own_rules(method, values))


def unknown_keys(value: object, path: str = "") -> Iterator[str]:
    """Keys that no aiogram model knows, at any depth."""
    if isinstance(value, BaseModel):
        yield from (f"{path}{key}" for key in value.__pydantic_extra__ or {})
        for name in type(value).model_fields:
            yield from unknown_keys(getattr(value, name), f"{path}{name}.")
    elif isinstance(value, list):
        for part in value:
            yield from unknown_keys(part, path)


def units(text: str) -> int:
    """UTF-16 code units, as Telegram counts."""
    return sum(2 if ord(sign) > 0xFFFF else 1 for sign in text)


def _is_text(fields: Mapping[str, Any], name: str) -> bool:
    if name not in fields or name == "chat_id":  # a chat can also be a @name; ours never is
        return name not in fields
    annotation = fields[name].annotation
    return annotation is str or str in get_args(annotation)


def _own_rules(method: str, values: Json) -> Iterator[str]:
    for name, most in _MOST_UNITS.get(method, {}).items():
        if name in values and units(values[name]) > most:
            yield f"{name} is longer than {most}"
    if method == "sendMessage" and not values["text"].strip():
        yield "text is empty"
    if method == "sendVenue" and not (values["title"] and values["address"]):
        yield "a venue needs a title and an address"
    if method == "sendChatAction" and values["action"] not in _ACTIONS:
        yield "unknown action"
    if method == "setWebhook":
        yield from _webhook_rules(values)
    for command in values.get("commands", ()):
        if not _COMMAND.fullmatch(command["command"]) or not 1 <= len(command["description"]) <= 256:
            yield f"command {command['command']}"
    if "reply_markup" in values:
        yield from _keyboard_rules(values["reply_markup"]["inline_keyboard"])


def _webhook_rules(values: Json) -> Iterator[str]:
    if not values["url"].startswith("https://"):
        yield "an HTTPS URL must be provided for webhook"
    if "secret_token" in values and not _SECRET.fullmatch(values["secret_token"]):
        yield "secret_token"
    if not 1 <= values.get("max_connections", 40) <= 100:
        yield "max_connections"


def _keyboard_rules(rows: list[list[Json]]) -> Iterator[str]:
    if not rows or not all(rows):
        yield "an empty row of buttons"
    if any(len(row) > 8 for row in rows) or sum(map(len, rows)) > 100:
        yield "too many buttons"
    for button in (button for row in rows for button in row):
        if not button["text"].strip():
            yield "a button without text"
        if not 1 <= len(button["callback_data"].encode()) <= 64:
            yield "callback_data is not 1-64 bytes"
