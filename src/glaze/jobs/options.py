"""How one worker works: slots, leases, timers."""

from dataclasses import dataclass

from glaze.store.retention import Keep


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """Options of one worker; times in seconds.

    ``most_ahead`` bounds the jobs that are claimed before a slot is free for them: about as many
    as end in ``ahead_s``, so none where jobs are long. ``promote_s`` is how late a retry or
    snooze may begin. Workers whose lease has passed are looked for every tenth of a lease. A
    process whose resident memory passes ``memory_limit_bytes`` drains and ends.
    """

    queues: tuple[str, ...] = ("default",)
    kinds: tuple[str, ...] | None = None  # None: every kind
    concurrency: int = 10
    most_ahead: int = 2000
    ahead_s: float = 0.2
    poll_s: float = 1.0
    heartbeat_s: float = 10.0
    lease_s: float = 30.0
    shutdown_s: float = 30.0
    promote_s: float = 0.5
    cancel_s: float = 0.5
    prune_s: float = 3600.0
    keep: Keep | None = None  # None: nothing is pruned
    memory_limit_bytes: int | None = None
    alert_s: float = 60.0  # how often dead jobs are counted, where a kind has a limit
    name: str = ""
    version: str = ""
    host: str = ""
