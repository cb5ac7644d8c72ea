"""Start the process tree: what has to be right before the first message, then the supervisor."""

from __future__ import annotations

import logging
import os
import pwd
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sekisho.accept.fleet import FleetCounts
from sekisho.config.load import Configuration
from sekisho.daemon import compose
from sekisho.daemon.background import run_background
from sekisho.daemon.sockets import CannotListenError, listen
from sekisho.daemon.supervisor import Pipes, Supervisor
from sekisho.daemon.worker import Shared, run_worker
from sekisho.mail.kept import StoreAwayError
from sekisho.record import metric_files

log = logging.getLogger(__name__)


class CannotStartError(Exception):
    """The gateway cannot start; says why, for the administrator."""


def serve(prepared: compose.Prepared, ready: Callable[[], None]) -> int:
    """Run the gateway until it is told to stop. Returns the exit status. Raises CannotStartError.

    `ready` is called in the supervisor once every process works.
    """
    configuration = prepared.configuration
    gateway = configuration.settings.gateway
    try:
        sockets = {listener.name: listen(listener.address) for listener in configuration.settings.listener}
        http = listen(gateway.http_address)
    except CannotListenError as error:
        raise CannotStartError(str(error)) from error
    _state_directory(configuration.state_dir, gateway.user)
    metrics_directory = compose.metrics_directory(configuration)
    try:
        metric_files.prepare(metrics_directory)
    except OSError as error:
        raise CannotStartError(f"{metrics_directory}: {error.strerror or error}") from error
    _log_file(configuration)
    try:
        compose.open_store(configuration).close()
    except StoreAwayError as error:
        raise CannotStartError(f"the store in {configuration.state_dir} cannot be opened: {error}") from error
    compose.compile_patterns(configuration, prepared.rules)
    workers = gateway.workers or len(os.sched_getaffinity(0))
    shared = Shared(prepared, sockets, FleetCounts(workers), workers)
    roles: dict[str, Callable[[Pipes], int]] = {
        f"worker-{number + 1}": partial(_logged, shared, partial(run_worker, shared, number))
        for number in range(workers)
    }
    roles["background"] = partial(_logged, shared, partial(run_background, shared, http))
    supervisor = Supervisor(
        roles,
        drain_seconds=gateway.drain_seconds,
        reload=partial(_reload, shared),
        ready=ready,
        reaped=partial(metric_files.mark_dead, metrics_directory),
    )
    journal = compose.journal_of(configuration)
    try:
        return supervisor.run()
    finally:
        journal.close()


def _logged(shared: Shared, run: Callable[[Pipes], int], pipes: Pipes) -> int:
    """A child's life with a log of its own: the supervisor's may need a thread, which a fork does not take along."""
    journal = compose.journal_of(shared.prepared.configuration)
    try:
        return run(pipes)
    except StoreAwayError as error:
        journal = compose.journal_of(shared.prepared.configuration)
        log.error("cannot work, the store is away: %s", error)  # noqa: TRY400 - the reason is in the text
        return 1
    except Exception:
        # The child's own journal, where it came to have one, is not written out when the process ends.
        journal = compose.journal_of(shared.prepared.configuration)
        log.exception("process failed")
        return 1
    finally:
        journal.close()


def _reload(shared: Shared) -> bool:
    """Read everything anew; what is good is also what the next worker starts with."""
    prepared = compose.prepared_again(shared.prepared)
    if prepared is None:
        log.error("reload: nothing changed, the old configuration stays in force")
        return False
    for key in compose.needs_restart(shared.prepared.configuration.settings, prepared.configuration.settings):
        log.warning("reload: %s changes with the next restart", key)
    shared.prepared = prepared
    return True


def _log_file(configuration: Configuration) -> None:
    """Where the log goes to a file, see that it can: a gateway that runs without its log is found out late."""
    target = configuration.settings.record.log
    if target in ("stdout", "stderr"):
        return
    path = configuration.path(target)
    if not path.parent.is_dir():
        raise CannotStartError(f"record.log: {path.parent} is no directory")
    if not os.access(path if path.exists() else path.parent, os.W_OK) or path.is_dir():
        raise CannotStartError(f"record.log: {path} cannot be written")


def _state_directory(path: Path, user: str) -> None:
    """Make the directory, give it to `user`, and become that user, where one is asked for."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if user and os.getuid() == 0:
            entry = pwd.getpwnam(user)
            for below in [path, *path.rglob("*")]:
                os.chown(below, entry.pw_uid, entry.pw_gid, follow_symlinks=False)
            os.initgroups(user, entry.pw_gid)
            os.setgid(entry.pw_gid)
            os.setuid(entry.pw_uid)
    except KeyError as error:
        raise CannotStartError(f"gateway.user: no user {user!r} on this machine") from error
    except OSError as error:
        raise CannotStartError(f"{path}: {error.strerror or error}") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise CannotStartError(f"{path} is not writable")
