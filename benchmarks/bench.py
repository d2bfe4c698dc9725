"""A model used in this process, with the settings that the app itself would use here."""

from __future__ import annotations

import sys
import time

from engine.inference import llama
from engine.inference.client import Client
from engine.inference.generation import Generation
from engine.inference.streams import Streams
from engine.inference.templates import ChatFormat, choose
from engine.models.catalogue import starter_path
from engine.session import selftest
from engine.types.answers import Answer, Question
from engine.types.models import Launch


def launch_here() -> Launch:
    """What the self-test finds; ends the program where nothing works."""
    found = selftest.run(Client, model=str(starter_path()), context=4096).launch
    if found is None:
        sys.exit("No setting works on this computer; run 'attune doctor'.")
    return found


class Bench:
    """One model, one cache."""

    def __init__(self, path: str, *, name: str, launch: Launch) -> None:
        llama.start(launch.variant)
        self.path, self.name, self.launch = path, name, launch
        self.model = llama.LlamaModel(path, launch=launch)
        chatml = len(self.model.tokenize("<|im_start|>", special=True)) == 1
        self.form: ChatFormat = choose(
            self.model.template, marks=self.model.marks, speaks_chatml=chatml
        )
        self.streams = Streams(self.model)

    def ask(self, question: Question) -> Answer:
        """One whole answer; seed 1 where the question has none."""
        (answer,) = self.ask_together(question)
        return answer

    def ask_together(self, *questions: Question) -> tuple[Answer, ...]:
        """Whole answers from the same batches; 16 streams in all are the most."""
        events = Generation(
            *questions,
            model=self.model,
            streams=self.streams,
            form=self.form,
            name=self.name,
            seed=1,
            clock=time.perf_counter,
            stopped=lambda: False,
        ).run()
        return tuple(event for event in events if isinstance(event, Answer))
