"""News of running work as server-sent events: every tab hears of every job, whoever started it.

A tab that loses the connection asks again by itself and gets the present state, so nothing has to be replayed.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable

from unabridged.ui.events_shown import shown
from unabridged.ui.jobs import Jobs

INTERVAL_S = 0.08  # twelve pictures a second are enough for reading along
HEARTBEAT_S = 10.0


async def live(jobs: Jobs, *, language: str, gone: Callable[[], Awaitable[bool]]) -> AsyncGenerator[str, None]:
    """`data: {"run", "lists", "jobs"}` lines, at once and after every change; a comment now and then finds out who has left."""
    seen, silent_s = -1, 0.0
    while not await gone():
        if jobs.revision != seen:
            seen, silent_s = jobs.revision, 0.0
            pictures = [shown(job.shown(), language=language) for job in jobs.all()]
            yield f"data: {json.dumps({'run': jobs.run, 'lists': jobs.lists, 'jobs': pictures}, ensure_ascii=False)}\n\n"
        elif silent_s >= HEARTBEAT_S:
            silent_s = 0.0
            yield ": still here\n\n"
        await asyncio.sleep(INTERVAL_S)
        silent_s += INTERVAL_S
