"""Tunes an embedder on the store's phrasings: those of one prompt together, everything else apart.

Supervised contrastive loss (Khosla et al. 2020, arXiv:2004.11362); background sentences stand in its denominator only.
It imports torch, so it belongs into a process of its own, which may also be ended in the middle of it.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from torch import Tensor, nn

from models.embedding.halves import Halves, Padded
from models.embedding.tuned_folder import SourceFolder
from models.embedding.tuning_plan import Batch, TuningPlan, draw
from models.embedding.wordpieces import WordPieces
from models.errors import ModelRefused, ModelUnavailable
from models.ports import Vectors

StepProgress = Callable[[int, int], None]
"""Called with the steps done and their number, at least once in about a second; what it raises ends the work."""

CHUNK = 16
"""Sentences of similar length that run together."""

CACHE_BYTES = 512 * 2**20
"""Hidden states kept: about 17,000 sentences of 20 word pieces for a model of MiniLM's size; others are made again."""

PROBES = ("x", "How do I reset my password?")


def silent(_done: int, _steps: int) -> None:
    """Reports nothing."""


class Tuner:
    """A sentence-transformers model that can be tuned many times, each time from what it was.

    Sets the number of torch's threads, for the whole process. For the same source, arguments and number of threads on
    the same machine, the same weights. Not thread-safe.
    """

    def __init__(self, source: Path, expected_sha256: str, *, threads: int) -> None:
        torch.set_num_threads(threads)
        self.source = SourceFolder(source, expected_sha256)
        model = _loaded(source)
        self._head = nn.ModuleList(list(model)[1:])
        self.halves = Halves(model[0].auto_model)
        self._pieces = WordPieces.read(self.source.folder.tokenizer, _max_tokens(model))
        self._hidden: dict[str, Tensor] = {}
        self._hidden_bytes = 0
        self._depth = -1
        for name in self.halves.names(0).values():
            self.source.place(name)
        for depth in range(self.halves.count):
            self.halves.require_exact(self._padded_pieces(PROBES), depth)
        self.dimension = self._vectors(PROBES, self.halves.upper_copy(0), 0).shape[1]

    def tune(
        self,
        texts: Sequence[str],
        labels: Sequence[int] | NDArray[np.int64],
        background: Sequence[str],
        plan: TuningPlan,
        *,
        seed: int,
        progress: StepProgress = silent,
    ) -> "Tuned":
        """Returns the model after `plan`; `labels` are the numbers of the prompts that `texts` are phrasings of.

        Raises `ModelRefused` for a store that teaches nothing, a text that the model would cut, or a plan that leads
        nowhere; the untuned model is as good as it was.
        """
        if len(texts) != len(labels):
            raise ValueError("every text needs the number of its prompt. This is a bug.")
        batches = draw(labels, len(background), plan, seed=seed)
        lessons = [_lesson(texts, labels, background, batch) for batch in batches]
        depth = max(0, self.halves.count - plan.trained_layers)
        drawn = [text for lesson in lessons for text in lesson.sentences]
        self._remember(drawn, depth, lambda: progress(0, plan.steps))
        layers = self.halves.upper_copy(depth)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)  # of the dropout
            self._train(layers, depth, lessons, plan, progress)
        _keep_part(layers, self.halves.upper_copy(depth), plan.kept)
        progress(plan.steps, plan.steps)
        return Tuned(self, layers, depth)

    def _train(
        self, layers: nn.ModuleList, depth: int, lessons: Sequence["_Lesson"], plan: TuningPlan, progress: StepProgress
    ) -> None:
        layers.train().requires_grad_(True)  # noqa: FBT003 - torch's own signature
        optimizer = torch.optim.AdamW(layers.parameters(), weight_decay=plan.weight_decay)
        for step, lesson in enumerate(lessons):
            progress(step, plan.steps)
            for group in optimizer.param_groups:
                group["lr"] = plan.rate(step)
            with _torch_errors():
                vectors = self._vectors(lesson.sentences, layers, depth)
                optimizer.zero_grad()
                _loss(vectors, lesson.prompts, plan.temperature).backward()  # type: ignore[no-untyped-call] # torch's gap
                norm = nn.utils.clip_grad_norm_(layers.parameters(), plan.max_gradient)
                optimizer.step()
            if not bool(torch.isfinite(norm)):
                raise ModelRefused("the tuning diverged; lower its learning rate, or serve the embedder as it is")
        layers.eval().requires_grad_(False)  # noqa: FBT003 - as above

    def embed_with(self, texts: Sequence[str], layers: nn.ModuleList, depth: int, progress: StepProgress) -> Vectors:
        """Returns the vectors of `texts` with `layers` in the place of those from `depth` on."""
        self._remember(texts, depth, lambda: progress(0, len(texts)))
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        by_length = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        for start in range(0, len(by_length), CHUNK):
            progress(start, len(texts))
            rows = by_length[start : start + CHUNK]
            with torch.no_grad(), _torch_errors():
                vectors[rows] = self._vectors([texts[row] for row in rows], layers, depth).numpy()
        if not np.isfinite(vectors).all():
            raise ModelUnavailable("the tuned embedder returned something other than unit vectors")
        return vectors

    def save_with(self, folder: Path, layers: nn.ModuleList, depth: int) -> str:
        """Writes the model with `layers` in the place of those from `depth` on; see `Tuned.save`."""
        names = self.halves.names(depth)
        changed = {self.source.place(names[name]): weight for name, weight in layers.state_dict().items()}
        return self.source.write_changed(changed, folder, dimension=self.dimension, max_tokens=self._pieces.max_tokens)

    def _vectors(self, texts: Sequence[str], layers: nn.ModuleList, depth: int) -> Tensor:
        hidden = [self._hidden_of(text, depth) for text in texts]
        by_length = sorted(range(len(texts)), key=lambda row: len(hidden[row]))
        chunks = []
        for start in range(0, len(by_length), CHUNK):
            block = _padded([hidden[row] for row in by_length[start : start + CHUNK]])
            features = {"token_embeddings": self.halves.upper(block, layers), "attention_mask": block.mask}
            for module in self._head:
                features = module(features)
            chunks.append(nn.functional.normalize(features["sentence_embedding"], dim=1))
        back = torch.empty(len(texts), dtype=torch.long)
        back[torch.tensor(by_length)] = torch.arange(len(texts))
        return torch.cat(chunks)[back]

    def _remember(self, texts: Sequence[str], depth: int, progress: Callable[[], None]) -> None:
        if depth != self._depth:
            self._hidden, self._hidden_bytes, self._depth = {}, 0, depth
        for text in dict.fromkeys(texts):
            if self._hidden_bytes > CACHE_BYTES:
                return
            if text not in self._hidden:
                progress()
                self._hidden[text] = self._hidden_of(text, depth)
                self._hidden_bytes += self._hidden[text].nbytes

    def _hidden_of(self, text: str, depth: int) -> Tensor:
        if depth == self._depth and text in self._hidden:
            return self._hidden[text]
        # One at a time, at about twice the cost: its last bits would depend on the sentences that it is padded beside,
        # and so would the weights of a tuning on what this tuner did before.
        with _torch_errors():
            return self.halves.lower(self._padded_pieces([text]), depth)[0]

    def _padded_pieces(self, texts: Sequence[str]) -> Padded:
        return _padded([torch.tensor(self._pieces.ids(text)) for text in texts])


class Tuned:
    """What one tuning made of an embedder."""

    def __init__(self, tuner: Tuner, layers: nn.ModuleList, depth: int) -> None:
        self._tuner = tuner
        self._layers = layers
        self._depth = depth

    def embed(self, texts: Sequence[str], progress: StepProgress = silent) -> Vectors:
        """Returns an array (len(texts), dimension), float32, each row of length 1."""
        return self._tuner.embed_with(texts, self._layers, self._depth, progress)

    def save(self, folder: Path) -> str:
        """Writes a sentence-transformers folder of its own and returns the SHA-256 of its weights.

        A crash leaves no folder or the whole one. Raises `ModelUnavailable` when it cannot be written or when another
        model is there already.
        """
        return self._tuner.save_with(folder, self._layers, self._depth)


def _loaded(source: Path) -> SentenceTransformer:
    try:
        model = SentenceTransformer(
            str(source), device="cpu", local_files_only=True, model_kwargs={"attn_implementation": "eager"}
        )
        return model.float().eval().requires_grad_(False)  # noqa: FBT003 - torch's own signature
    except (OSError, ValueError, RuntimeError, KeyError, ImportError) as error:
        raise ModelRefused(f"{source} is not a sentence-transformers folder: {error}") from error


def _max_tokens(model: SentenceTransformer) -> int:
    limit = model.max_seq_length
    if not isinstance(limit, int) or limit < 1:
        raise ModelRefused("this embedder cannot be tuned: its folder does not say how many word pieces it reads")
    return limit


@dataclass(frozen=True, slots=True)
class _Lesson:
    """The sentences of one step; `prompts` numbers the prompts of the first of them, the rest belong to none."""

    sentences: list[str]
    prompts: Tensor


def _lesson(
    texts: Sequence[str], labels: Sequence[int] | NDArray[np.int64], background: Sequence[str], batch: Batch
) -> _Lesson:
    sentences = [texts[row] for row in batch.rows] + [background[row] for row in batch.background]
    return _Lesson(sentences, torch.tensor([int(labels[row]) for row in batch.rows[: batch.labelled]]))


def _keep_part(tuned: nn.ModuleList, untuned: nn.ModuleList, kept: float) -> None:
    """Moves the weights back towards the untuned ones; all that they learned stays when `kept` is 1."""
    if kept < 1:
        with torch.no_grad():
            for weight, original in zip(tuned.parameters(), untuned.parameters(), strict=True):
                weight.copy_(torch.lerp(original, weight, kept))


def _padded(rows: Sequence[Tensor]) -> Padded:
    lengths = torch.tensor([len(row) for row in rows])
    mask = (torch.arange(int(lengths.max()))[None, :] < lengths[:, None]).long()
    return Padded(nn.utils.rnn.pad_sequence(list(rows), batch_first=True), mask)


def _loss(vectors: Tensor, prompts: Tensor, temperature: float) -> Tensor:
    labelled = len(prompts)
    itself = torch.eye(labelled, len(vectors), dtype=torch.bool)
    similarity = (vectors[:labelled] @ vectors.T / temperature).masked_fill(itself, -torch.inf)
    attracts = torch.zeros_like(itself)
    attracts[:, :labelled] = prompts[:, None] == prompts[None, :]
    attracts &= ~itself
    log_share = similarity - torch.logsumexp(similarity, dim=1, keepdim=True)
    # masked_fill, not a product: -inf * 0 is NaN.
    return -(log_share.masked_fill(~attracts, 0.0).sum(1) / attracts.sum(1)).mean()


@contextlib.contextmanager
def _torch_errors() -> Iterator[None]:
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        raise ModelUnavailable(f"torch failed while an embedder was tuned: {error}") from error
