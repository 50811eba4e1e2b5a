"""The Rasa side as a small HTTP service on the loopback address (or the compose network).

    POST /turn   {language, text | payload, state, situation}  -> {messages, state, understood, referral}
    POST /parse  {language, texts: [...]}           -> {results: [understood, ...]}
    GET  /topics                                    -> {topics: [{topic, group, titles, answers}]}
    GET  /health                                    -> {ready, languages: {nl: model file name}}

400 for a request that makes no sense, 500 with {error} when a turn broke: never an empty 200.
Start: python -m nlu.service --port 5005 --model nl=PATH --model tr=PATH --model ar=PATH
"""

from __future__ import annotations

import argparse
import gc
import logging
from pathlib import Path
from typing import Any

import uvloop
from aiohttp import web

from nlu.no_tensorflow import without_tensorflow
from nlu.quiet import quiet

quiet()  # both before Rasa is imported
without_tensorflow()

import actions.knowledge  # noqa: E402
from nlu.dialogue import BadRequest, Dialogue, TurnFailed, trim_rasa  # noqa: E402

logger = logging.getLogger("tekkie.nlu")
DIALOGUES = web.AppKey("dialogues", dict)
_MOST_BYTES = 1_000_000
_MOST_TEXTS = 1_000


async def turn(request: web.Request) -> web.Response:
    body = await _body(request)
    dialogue = _dialogue(request, body)
    text, payload = body.get("text"), body.get("payload")
    if isinstance(text, str) == isinstance(payload, str):
        raise web.HTTPBadRequest(text="give either text or payload")
    return web.json_response(await dialogue.turn(text, payload, body.get("state"), body.get("situation")))


async def parse(request: web.Request) -> web.Response:
    body = await _body(request)
    dialogue = _dialogue(request, body)
    texts = body.get("texts")
    if not isinstance(texts, list) or not all(isinstance(t, str) for t in texts) or len(texts) > _MOST_TEXTS:
        raise web.HTTPBadRequest(text=f"texts must be a list of at most {_MOST_TEXTS} strings")
    return web.json_response({"results": [dialogue.parse(text) for text in texts]})


async def topics(request: web.Request) -> web.Response:
    """Every topic with its title and answer per language, for the coaches' desk."""
    return web.json_response({"topics": actions.knowledge.load().overview()})


async def health(request: web.Request) -> web.Response:
    return web.json_response({"ready": True, "languages": request.app["models"]})


@web.middleware
async def failures(request: web.Request, handler: Any) -> web.StreamResponse:
    """Answers every failure with JSON; logs what broke, never what the person wrote."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        return web.json_response({"error": error.text or error.reason}, status=error.status)
    except BadRequest as error:
        return web.json_response({"error": str(error)}, status=400)
    except TurnFailed as error:
        logger.error("turn failed: %s", type(error.__cause__).__name__)
        return web.json_response({"error": "the turn failed"}, status=500)
    except Exception as error:
        logger.exception("unexpected failure: %s", type(error).__name__)
        return web.json_response({"error": "unexpected failure"}, status=500)


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError as error:
        raise web.HTTPBadRequest(text="the body is not JSON") from error
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="the body is not a JSON object")
    return body


def _dialogue(request: web.Request, body: dict[str, Any]) -> Dialogue:
    dialogue = request.app[DIALOGUES].get(body.get("language"))
    if dialogue is None:
        raise web.HTTPBadRequest(text=f"language must be one of {sorted(request.app[DIALOGUES])}")
    return dialogue


def application(models: dict[str, Path]) -> web.Application:
    """The web application with all models loaded; takes some seconds."""
    actions.knowledge.load()  # a broken file stops the start, not the first answer
    app = web.Application(middlewares=[failures], client_max_size=_MOST_BYTES)
    app[DIALOGUES] = {language: Dialogue(language, str(path)) for language, path in models.items()}
    app["models"] = {language: path.name for language, path in models.items()}
    app.add_routes([web.post("/turn", turn), web.post("/parse", parse)])
    app.add_routes([web.get("/topics", topics), web.get("/health", health)])
    return app


def main() -> None:
    parser = argparse.ArgumentParser(prog="nlu.service")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--model", action="append", required=True, metavar="LANGUAGE=PATH")
    arguments = parser.parse_args()
    trim_rasa()
    models = {language: Path(path) for language, _, path in (m.partition("=") for m in arguments.model)}
    app = application(models)
    gc.freeze()  # the models never become garbage: keep the collector off them
    loop = uvloop.new_event_loop()
    web.run_app(app, host=arguments.host, port=arguments.port, print=None, access_log=None, loop=loop)


if __name__ == "__main__":
    main()
