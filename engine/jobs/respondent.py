"""A model that answers calibration questions, in an inference child that may die of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from engine.errors import EngineCrashed, EngineSilent, Stopped
from engine.inference import protocol
from engine.inference.client import Client, by_template
from engine.jobs.protocol import Subject
from engine.types.answers import Answer, Chunk, Question

FATAL = (EngineCrashed, EngineSilent)
"""What is raised when the child is no more."""


class Respondent:
    """One model and its child, which is started when it is needed."""

    def __init__(
        self,
        subject: Subject,
        *,
        seed: int,
        spawn: Callable[[], Client],
        stopping: Callable[[], bool],
    ) -> None:
        """
        seed      used where a question has none
        spawn     starts a child
        stopping  whether all is to end; whatever happens then is raised as Stopped
        """
        self._subject, self._seed = subject, seed
        self._spawn, self._stopping = spawn, stopping
        self._client: Client | None = None
        self._plain = False

    def ready(self) -> None:
        """Have the model loaded. A child that dies of it is started once more.

        Raises ModelError, EngineError, Stopped.
        """
        if self._stopping():
            raise _stopped()
        if self._client is not None and self._client.alive:
            return
        try:
            self._load()
        except FATAL:
            self._load()

    def ask(self, questions: Sequence[Question]) -> Iterator[Chunk | tuple[Answer, ...]]:
        """Chunks as they come, at last the answers in the order of the questions; a cancelled one
        is "stopped". Raises InputError, EngineError, Stopped."""
        client = self._client
        assert client is not None
        request = protocol.Generate(
            id=client.next_id(), questions=tuple(questions), seed=self._seed
        )
        for reply in self._replies(client, request):
            if isinstance(reply, protocol.ChunkItem):
                yield reply.chunk
            elif isinstance(reply, protocol.Answered):
                yield reply.answers

    def tokenize(
        self, questions: Sequence[Question], replies: Sequence[str] = ()
    ) -> protocol.Tokenized:
        """How the model reads questions, and what tokens texts of its own would be made of.

        Raises InputError, EngineError, Stopped.
        """
        client = self._client
        assert client is not None
        request = protocol.Tokenize(
            id=client.next_id(), questions=tuple(questions), replies=tuple(replies)
        )
        found = None
        for reply in self._replies(client, request):
            if isinstance(reply, protocol.Tokenized):
                found = reply
        if found is None:
            raise EngineSilent("The model's process did not say how it reads.", detail="template")
        return found

    def cancel(self) -> None:
        """End what the child is doing. Any thread."""
        if (client := self._client) is not None:
            client.cancel()

    def close(self) -> None:
        """End the child."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    # ----------------------------------------------------------------------------------------

    def _load(self) -> None:
        self.close()
        client = self._client = self._spawn()
        request = protocol.Load(
            id=client.next_id(),
            path=self._subject.path,
            name=self._subject.name,
            launch=self._subject.launch,
            plain=self._plain,
            adapters=self._subject.adapters,
        )
        for _reply in self._replies(client, request):
            pass

    def _replies(
        self, client: Client, request: protocol.Request
    ) -> Iterator[protocol.Item | protocol.Done]:
        try:
            for reply in client.request(request):
                if self._stopping():  # before the request was there to be cancelled
                    client.cancel()
                if isinstance(reply, protocol.Cancelled):
                    raise _stopped()
                yield reply
        except FATAL as error:
            if self._stopping():
                raise _stopped() from error
            # The model's own chat template may have done it; the next child goes without.
            self._plain = self._plain or by_template(error)
            raise


def _stopped() -> Stopped:
    return Stopped("The work was stopped.")
