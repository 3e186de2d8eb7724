"""A language model in other processes: the side that has the model."""

import asyncio
import time
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor

from models.errors import ModelError, ModelRefused
from models.ports import Cancellation, LanguageModel, OnText
from models.remote.messages import Ask, Done, Failed, Text, encode, read_ask


class ModelReplica:
    """Answers the requests of gateways with a model of this process."""

    def __init__(self, model: LanguageModel, *, places: int) -> None:
        """`places` requests may be there at once; each blocks a thread."""
        self._model = model
        self._threads = ThreadPoolExecutor(places, thread_name_prefix="replica")

    async def answers(self, message: bytes) -> AsyncGenerator[bytes, None]:
        """Yields the answer in stretches, if these are wanted, and at last the whole of it or why there is none.

        Leaving it stops the model. An error that is none of a model's is raised.
        """
        loop = asyncio.get_running_loop()
        news: asyncio.Queue[Text | None] = asyncio.Queue()
        cancellation = Cancellation()

        def tell(text: str) -> None:
            loop.call_soon_threadsafe(news.put_nowait, Text(text))

        work = loop.run_in_executor(self._threads, self._worked, message, cancellation, tell)
        work.add_done_callback(lambda _: news.put_nowait(None))
        try:
            while (text := await news.get()) is not None:
                yield encode(text)
            yield encode(await work)
        finally:
            cancellation.cancel()

    def _worked(self, message: bytes, cancellation: Cancellation, on_text: OnText) -> Done | Failed:
        try:
            ask = read_ask(message)
            self._require_same(ask)
            completion = self._model.complete(
                ask.prompt,
                ask.sampling,
                deadline_s=time.monotonic() + ask.timeout_s,
                cancellation=cancellation,
                on_text=on_text if ask.is_streamed else None,
            )
        except ModelError as error:
            return Failed.of(error)
        return Done(completion)

    def _require_same(self, ask: Ask) -> None:
        """Raises `ModelRefused` when another model would answer than the one that is recorded and kept by."""
        if ask.sha256 != self._model.sha256:
            raise ModelRefused("this replica has other weights than the gateway goes by; give both the same settings")
        if ask.adapter != self._model.adapter(ask.prompt.assistant):
            raise ModelRefused("this replica has another adapter than the gateway goes by; give both the same settings")
