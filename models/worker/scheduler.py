"""What the worker computes next: all requests in one batch, and each beginning of a prompt only once."""

import itertools
from collections import deque
from collections.abc import Callable, Sequence

from models.errors import ModelRefused
from models.worker.answer import AnswerText
from models.worker.backend import Backend, Halted, PromptTokens
from models.worker.batch import Part, answering, reading
from models.worker.guesses import Guesses
from models.worker.messages import Failed, FailureKind, FromWorker, Generate, Warm
from models.worker.prefix_store import PrefixStore
from models.worker.prefixes import Prefix, Prefixes, PrefixKey
from models.worker.run import Run, cells_for


class Scheduler:
    """Works off requests together. Used from one thread."""

    def __init__(
        self,
        backend: Backend,
        send: Callable[[FromWorker], None],
        is_cancelled: Callable[[int], bool],
        *,
        prefix_cells: int,
        store: PrefixStore,
    ) -> None:
        self._backend = backend
        self._send = send
        self._is_cancelled = is_cancelled
        self._store = store
        self._waiting: deque[Run] = deque()
        self._warming: deque[Run] = deque()
        self._runs: list[Run] = []
        self._free = list(range(backend.parallel))
        self._computing: dict[PrefixKey, Run] = {}
        self._adapter = ""
        self._was_halted = False
        self.prefixes = Prefixes(range(backend.parallel, backend.sequences), prefix_cells, backend.forget)

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do."""
        return not (self._runs or self._waiting or self._warming)

    def add(self, job: Generate, deadline_s: float) -> None:
        """Takes a request in; one that cannot be worked on is answered at once."""
        try:
            prompt = self._backend.tokens(job.prompt)
            _require_room(len(prompt.tokens), job.sampling.max_tokens, self._backend.context_tokens)
            chooser = self._backend.chooser(job.sampling)
        except ModelRefused as error:
            self._send(Failed(job.job_id, FailureKind.REFUSED, str(error)))
        else:
            answer, guesses = AnswerText(job.stop), Guesses(prompt.tokens)
            self._waiting.append(Run(job, prompt, deadline_s, chooser, answer=answer, guesses=guesses))

    def warm(self, job: Warm) -> None:
        """Takes in a prompt whose beginning is to be ready; that is computed while nobody waits."""
        try:
            prompt = self._backend.tokens(job.prompt)
        except ModelRefused:
            return  # whoever asks with this prompt is told
        if prompt.shared and prompt.shared[-1] <= self._backend.context_tokens:
            self._warming.append(Run(job, PromptTokens(prompt.tokens[: prompt.shared[-1]], prompt.shared)))

    def step(self) -> None:
        """Computes one batch and tells what came of it."""
        self._drop_failed()
        self._admit()
        parts = self._next_parts()
        batch = [entry for part in parts for entry in part.entries]
        if not batch:
            return
        self._backend.use(parts[0].run.assistant)
        try:
            self._backend.decode(batch, self._is_vain([part.run for part in parts]))
        except Halted:
            self._was_halted = True
            for part in parts:
                self._backend.forget(part.run.sequence, part.run.done)
            return
        self._was_halted = False
        place = 0
        for part in parts:
            size = len(part.entries)
            place += size
            part.run.done = part.end
            if batch[place - 1].is_last:
                self._advance(part, place - 1 - len(part.guessed))
            else:
                self._share(part.run)

    def _is_vain(self, batch: Sequence[Run]) -> Callable[[], bool]:
        """Returns what says that a batch is to be given up: somebody has left, whose place is wanted.

        After one that was given up only when nobody waits for it: callers who leave do not stop those who stay.
        """
        if self._was_halted:
            return lambda: all(self._failure(run) for run in batch)
        # One after the other, because it is asked hundreds of times.
        turns = itertools.cycle(self._runs)
        return lambda: self._failure(next(turns)) is not None

    def _failure(self, run: Run) -> FailureKind | None:
        return run.failure(is_cancelled=self._is_cancelled(run.job_id))

    def _drop_failed(self) -> None:
        for run in (*self._runs, *self._waiting):
            kind = self._failure(run)
            if kind is not None:
                self._leave(run)
                self._send(Failed(run.job_id, kind, "the job was given up"))

    def _leave(self, run: Run) -> None:
        """Gives back everything that a request has."""
        if run.chooser is not None:
            run.chooser.close()
        if run.sequence < 0:
            self._waiting.remove(run)
            return
        self._runs.remove(run)
        for key in [key for key, owner in self._computing.items() if owner is run]:
            del self._computing[key]
        self._backend.forget(run.sequence)
        self._free.append(run.sequence)
        self.prefixes.release(run.held)

    def _admit(self) -> None:
        """Gives places to those who wait, in their order: nobody is overtaken by one who needs less."""
        if not self._runs:
            self._was_halted = False  # nobody has stayed who would have to be protected
        while self._waiting and self._free and self._make_room(self._waiting[0]):
            self._runs.append(self._waiting.popleft())
        if self._warming and not self._runs and not self._waiting:
            run = self._warming.popleft()
            # The most used come first, so that a later one must not drive an earlier one out.
            has_room = self.prefixes.has_room(len(run.prompt.tokens)) or self._store.has_room
            if has_room and self._make_room(run):
                self._runs.append(run)

    def _make_room(self, run: Run) -> bool:
        """Reserves a place and all the cells that a request may come to need, at the cost of unused prefixes."""
        runs = (*self._runs, run)
        self._hold(run, self.prefixes.longest(run.beginnings()))
        if cells_for(runs) > self._backend.cells:  # before a beginning is put into the cache, which takes long
            self._hold(run, None)
            return False
        self._hold(run, self._ready(run))
        while sum(one.reserved for one in runs) + self.prefixes.cells > self._backend.cells:
            if not self.prefixes.drop_one():
                self._hold(run, None)
                self._keep_promises()
                return False
        run.sequence = self._free.pop()
        run.begin()
        if run.held is not None:
            self._take(run, run.held)
        return True

    def _keep_promises(self) -> None:
        """Drops what was put into the cache for a request that does not fit: running ones grow into those cells."""
        promised = sum(run.reserved for run in self._runs)
        while promised + self.prefixes.cells > self._backend.cells and self.prefixes.drop_one():
            pass

    def _take(self, run: Run, prefix: Prefix) -> None:
        """Lets a request begin with the cells of a kept prefix."""
        self._backend.forget(run.sequence)
        self._backend.copy(prefix.sequence, run.sequence, prefix.length)
        run.reused += prefix.length - run.done
        run.done = prefix.length
        self._hold(run, prefix)

    def _hold(self, run: Run, prefix: Prefix | None) -> None:
        self.prefixes.hold(prefix)
        self.prefixes.release(run.held)
        run.held = prefix

    def _ready(self, run: Run) -> Prefix | None:
        """Returns the longest beginning that is in the cache or can be put there."""
        for key in run.beginnings():
            found = self.prefixes.longest((key,)) or self._restored(key)
            if found is not None:
                return found
        return None

    def _restored(self, key: PrefixKey) -> Prefix | None:
        """Puts a saved beginning into the cache, upon the shorter one that it goes on from."""
        saved = self._store.read(key)
        if saved is None:
            return None
        assistant, tokens = key
        before = (assistant, tokens[: saved.start])
        parent = (self.prefixes.longest((before,)) or self._restored(before)) if saved.start else None
        if saved.start and parent is None:
            return None
        prefix = self.prefixes.keep(key, parent)
        if prefix is None:
            return None
        if parent is not None:
            self._backend.copy(parent.sequence, prefix.sequence, parent.length)
        if self._backend.restore(prefix.sequence, saved.state, saved.start, prefix.length):
            return prefix
        self.prefixes.drop(prefix)
        return None

    def _next_parts(self) -> list[Part]:
        """Returns whose tokens are computed next: every answer's next and its guesses, then prompts in their order.

        Answers always take part, so a long prompt slows them down by one step's worth at most and never stops them.
        """
        together = self._of_one_adapter()
        parts = answering(together, self._backend, may_guess=not self._was_halted)
        # A short one after one that was given up, because it is computed to its end.
        step = self._backend.step // 4 if self._was_halted else self._backend.step
        taken = sum(1 + len(part.guessed) for part in parts)
        room = max(step - taken, step // 4, 1)
        for run in reading(together):
            if room == 0:
                break
            ready = self.prefixes.longest(run.beginnings())
            if ready is not None:
                self._take(run, ready)
            end = min(run.stop_at, run.done + room)
            if end == run.done:  # a warming that found all of it
                self._leave(run)
            elif self._is_first_to_compute(run):
                parts.append(Part(run, end))
                room -= end - run.done
        return parts

    def _of_one_adapter(self) -> list[Run]:
        """Returns the requests that one batch may hold; with several adapters they take turns."""
        adapters = sorted({self._backend.adapter_of(run.assistant) for run in self._runs})
        self._adapter = next((name for name in adapters if name > self._adapter), adapters[0] if adapters else "")
        return [run for run in self._runs if self._backend.adapter_of(run.assistant) == self._adapter]

    def _is_first_to_compute(self, run: Run) -> bool:
        """Whether no other request computes the same beginning; who has to wait takes it when it is kept."""
        if run.stop_at not in run.prompt.shared:
            return True
        key = run.key(run.stop_at)
        owner = self._computing.get(key)
        if owner is None or owner.done >= len(key[1]):  # it took a longer beginning from elsewhere and went on
            owner = self._computing[key] = run
        return owner is run

    def _advance(self, part: Part, place: int) -> None:
        """Takes the next tokens of an answer: one, and one more after each guess that came true."""
        run, reason = part.run, None
        if run.chooser is None:
            raise RuntimeError("a warming wants no token. This is a bug.")
        for at, guess in enumerate((*part.guessed, None)):
            try:
                token = run.chooser.choose(place + at)
            except ModelRefused as error:
                self._leave(run)
                self._send(Failed(run.job_id, FailureKind.REFUSED, str(error)))
                return
            is_end = self._backend.is_end(token)
            reason = run.take(token, b"" if is_end else self._backend.piece(token), is_end=is_end)
            if reason is not None or token != guess:
                break
            run.done += 1
        news = run.news(is_whole=reason is not None)
        if news is not None:
            self._send(news)
        if reason is not None:
            self._leave(run)
            self._send(run.completion(reason))
        elif part.guessed:
            self._backend.forget(run.sequence, run.done)

    def _share(self, run: Run) -> None:
        """Keeps the beginning that a request has just computed, for those that follow."""
        if run.done not in run.prompt.shared:
            return
        key = run.key(run.done)
        self._computing.pop(key, None)
        prefix = self.prefixes.keep(key, run.held)
        if prefix is not None:
            self._backend.copy(run.sequence, prefix.sequence, prefix.length)
            self._hold(run, prefix)
            start = prefix.length - prefix.cells
            self._store.write(key, start, lambda: self._backend.export(prefix.sequence, start))
        if run.done == len(run.prompt.tokens):
            self._leave(run)


def _require_room(prompt: int, answer: int, context: int) -> None:
    if prompt + answer > context:
        raise ModelRefused(
            f"the prompt has {prompt} tokens and the answer may have {answer}; the context holds {context}. "
            "Shorten the prompt's facts or lower max_tokens."
        )
