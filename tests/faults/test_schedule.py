"""A drawn schedule of faults in the gate's form: one seed, short."""

from __future__ import annotations

import asyncio
from pathlib import Path

from quantdesk.simulator.schedule import Schedule
from tests.faults.harness import check, market, session
from tests.faults.test_long import BAD_DAY


async def test_a_short_schedule_of_faults_loses_nothing(tmp_path: Path) -> None:
    schedule = Schedule.drawn(4, 12.0, BAD_DAY, each=0.5, rest=0.5)
    async with market(60.0, schedule=schedule) as at, session(at.endpoints, tmp_path) as run:
        await asyncio.sleep(schedule.seconds)
        await run.healed()
        await check(at, run, tmp_path)
