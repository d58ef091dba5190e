"""The whole of a run: look, say what will not fit, bring, mark, delete, carry the replies."""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from submit.fetch import stick as on_stick
from submit.fetch.address import Way
from submit.fetch.bring import Bringing
from submit.fetch.credentials import Credentials
from submit.fetch.deleting import Deleting
from submit.fetch.desk import Desk
from submit.fetch.errors import (
    FetchError,
    RefusedError,
    StoppedError,
    WrongDigestError,
)
from submit.fetch.index import Index
from submit.fetch.listing import Item, Source
from submit.fetch.persist import Line, Session
from submit.fetch.plan import OnStick, Plan, Task, make_plan
from submit.fetch.progress import Progress, amount, counted
from submit.fetch.replies import Replies
from submit.fetch.stick import Stick
from submit.fetch.terminal import Terminal

LINES = 3  # connections at once, each with circuits of its own
_A_LOOK = 0.2  # seconds between two looks at whether the lines have ended
_NAMED = 10  # items that are named; of more, only the number is said


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. `everything`: also what was fetched to another stick."""

    delete_after: bool
    everything: bool


@dataclass
class Run:
    """One run on one stick."""

    stick: Stick
    terminal: Terminal
    options: Options
    lines: list[Line]
    index: Index
    stopped: threading.Event
    missing: int = 0  # items and replies that could not be carried

    def run(self) -> int:
        """Do everything; give how many things are still to be carried."""
        self.index.load()
        sources = self._look()
        self._bring(self._plan(sources))
        if self.options.delete_after:
            self.missing += Deleting(self.stick, self.index, self.terminal, self.stopped).work(
                sources, self.lines[0]
            )
        carried, staying = Replies(self.stick, self.terminal).carry(
            {source.folder: source for source in sources}, self.lines[0]
        )
        self.missing += staying
        if carried:
            self.terminal.say(f"replies carried to the desk: {carried:,}")
        self.lines[0].once(Desk.leave)
        return self.missing

    def _look(self) -> list[Source]:
        """Ask the desk for everything that it has."""
        line = self.lines[0]
        self.terminal.say("looking at what the desk has ...")
        known = line.inside(Desk.sources)
        return [self._source(line, identifier) for identifier, _ in known]

    def _source(self, line: Line, identifier: str) -> Source:
        return line.inside(lambda desk: desk.source(identifier))

    def _plan(self, sources: Iterable[Source]) -> Plan:
        found = (
            (source, item, self._on_stick(source, item))
            for source in sources
            for item in source.items
        )
        free = self.stick.room()
        plan = make_plan(found, free, self.stick.largest, everything=self.options.everything)
        self._tell(plan, free)
        self.missing += len(plan.too_large) + len(plan.no_room)
        return plan

    def _on_stick(self, source: Source, item: Item) -> OnStick:
        place = self.stick.place(source.folder, item.id)
        return OnStick(
            self.index.get(item.id),
            on_stick.size_of(place.sealed),
            on_stick.size_of(place.part),
        )

    def _tell(self, plan: Plan, free: int) -> None:
        """Say what this stick cannot take before anything is written."""
        if plan.too_large:
            self.terminal.complain(
                f"this stick is FAT32, which holds no file of 4 GiB and more. "
                f"{counted(len(plan.too_large), 'file')} cannot come onto it:"
            )
            self._name(plan.too_large)
            self.terminal.complain("  Use a stick that is formatted as exFAT for them.")
        if plan.no_room:
            octets = sum(task.octets for task in plan.no_room)
            self.terminal.complain(
                f"the stick has {amount(free)} free. {counted(len(plan.no_room), 'file')} "
                f"({amount(octets)}) cannot come onto it; the others do, the oldest first. "
                "For the rest, run it again with another stick."
            )
        for line in _intended(plan):
            self.terminal.say(line)

    def _name(self, tasks: list[Task]) -> None:
        for task in tasks[:_NAMED]:
            size = amount(task.item.length)
            self.terminal.complain(f"  {task.source.designation}  {task.item.id}  {size}")
        if len(tasks) > _NAMED:
            self.terminal.complain(f"  and {len(tasks) - _NAMED:,} more")

    def _bring(self, plan: Plan) -> None:
        progress = Progress(time.monotonic, len(plan.bring), plan.octets)
        bringing = Bringing(
            self.stick, self.index, progress, self.stopped, doubts=self.options.everything
        )
        try:
            with self.terminal.showing(progress.line):
                jobs = [self._marking(item) for item in plan.mark]
                jobs += [self._bringing(bringing, task) for task in plan.bring]
                Crew(self.lines, self.stopped).work(jobs)
        finally:
            self.index.write()
        if not plan.bring:
            self.terminal.say("nothing is new")
        else:
            self.terminal.say(f"{counted(progress.done_files, 'file')} on the stick, verified")
        if unfinished := sum(not task.item.is_final for task in plan.bring):
            self.terminal.say(
                f"still unfinished: {counted(unfinished, 'file')}. What has come so far is on the "
                "stick; run this again on another day for more."
            )

    def _marking(self, item: Item) -> Callable[[Line], None]:
        return lambda line: self._mark(item, line)

    def _bringing(self, bringing: Bringing, task: Task) -> Callable[[Line], None]:
        def bring(line: Line) -> None:
            try:
                bringing.bring(task, line)
            except WrongDigestError:
                self._miss(task, "came twice and was not what the desk has. It was thrown away.")
            except RefusedError as refused:
                self._miss(task, f"did not come: {refused}")
            else:
                if task.item.is_final:
                    self._mark(task.item, line)

        return bring

    def _mark(self, item: Item, line: Line) -> None:
        try:
            line.inside(lambda desk: desk.mark_fetched(item))
        except RefusedError as refused:
            self.terminal.complain(f"{item.id} is on the stick, but was not marked: {refused}")

    def _miss(self, task: Task, why: str) -> None:
        self.missing += 1
        self.terminal.complain(f"{task.source.designation}  {task.item.id}  {why}")


def _intended(plan: Plan) -> Iterator[str]:
    """Say what is to come, and what is here and only looked at."""
    new = sum(task.octets > 0 for task in plan.bring)
    if new:
        yield f"to bring: {counted(new, 'file')}, {amount(plan.octets)}"
    here = [task.item for task in plan.bring if not task.octets]
    if open_here := sum(not item.is_final for item in here):
        yield f"on the stick, but unfinished: {counted(open_here, 'file')}. Looking for more ..."
    if final_here := len(here) - open_here:
        yield f"on the stick already, and only checked: {counted(final_here, 'file')}"


class Crew:
    """Threads, one to a line, that share the work; the first trouble ends them all."""

    def __init__(self, lines: list[Line], stopped: threading.Event) -> None:
        self._lines, self._stopped = lines, stopped
        self._jobs: queue.SimpleQueue[Callable[[Line], None]] = queue.SimpleQueue()
        self._trouble: list[BaseException] = []

    def work(self, jobs: Iterable[Callable[[Line], None]]) -> None:
        """Do every job. Raises what the first failing one raised, and KeyboardInterrupt."""
        for job in jobs:
            self._jobs.put(job)
        threads = [
            threading.Thread(target=self._work, args=(line,), daemon=True) for line in self._lines
        ]
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads):
                for thread in threads:
                    thread.join(_A_LOOK)
        except KeyboardInterrupt:
            self._end(threads)
            raise
        if self._trouble:
            raise self._trouble[0]

    def _work(self, line: Line) -> None:
        while not self._stopped.is_set():
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return
            try:
                job(line)
            except StoppedError:
                return
            except BaseException as error:  # noqa: BLE001 # it is raised again where `work` was called
                self._trouble.append(error)
                self._stop()

    def _stop(self) -> None:
        self._stopped.set()
        for line in self._lines:
            line.abort()

    def _end(self, threads: list[threading.Thread]) -> None:
        """Let the threads make durable what they have."""
        self._stop()
        for thread in threads:
            thread.join(_A_LOOK * 50)


def start(way: Way, stick: Stick, credentials: Credentials, options: Options) -> int:
    """Run on a stick that is held; give how many things are still to be carried."""
    terminal = credentials.terminal
    stopped = threading.Event()
    session = Session(credentials, terminal)
    lines = [Line(way, session, terminal, stopped) for _ in range(LINES)]
    try:
        return Run(stick, terminal, options, lines, Index(stick), stopped).run()
    except StoppedError:
        raise FetchError("stopped. What has come is kept.") from None
    finally:
        for line in lines:
            line.close()
