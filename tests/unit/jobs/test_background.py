"""An inference child of long work is given more time, and stays where it can be ended with it."""

from __future__ import annotations

import os
import time
from contextlib import closing

import pytest

from engine.errors import EngineSilent
from engine.inference import client as module
from engine.inference import protocol
from engine.inference.client import Client
from tests.fakes import puppet


def test_it_stays_in_the_group_of_the_work() -> None:
    with closing(Client(puppet.command(puppet.hello()), background=True)) as client:
        assert os.getpgid(client.pid) == os.getpgrp()


def test_its_hello_may_take_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HELLO_SECONDS", 0.03)
    begun = time.monotonic()
    with pytest.raises(EngineSilent):
        Client(puppet.command(["sleep"]), background=True)
    assert time.monotonic() - begun >= 0.3


def test_its_silence_may_last_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module.SILENCE_SECONDS, "decode", 0.03)
    said = puppet.say("Phase", id=1, seq=1, phase="decode")
    moves = puppet.command(puppet.hello(), ["hear"], said, ["sleep"])
    with closing(Client(moves, background=True)) as client:
        replies = client.request(protocol.Probe(id=1))
        next(replies)
        begun = time.monotonic()
        with pytest.raises(EngineSilent):
            next(replies)
        assert time.monotonic() - begun >= 0.3
