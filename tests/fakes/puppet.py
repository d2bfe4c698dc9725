"""A child that says and does what its command line tells it, line by line; starts in no time.

For what a well-meaning child never does. Each move is a JSON list: ["say", text], ["hear"] (wait
for a line of the parent), ["die", signal], ["exit", code], ["sleep"] (for good), ["words", text]
(on standard error), ["close"] (standard output).
"""

import json
import os
import signal
import sys

BUILD = "0.1.0"


def command(*moves: list[str | int]) -> tuple[str, ...]:
    """The command line of a puppet that makes these moves and then waits to be dismissed."""
    return (sys.executable, "-I", "-S", os.path.abspath(__file__), json.dumps(moves))


def hello(*, protocol: int = 1, build: str = BUILD) -> list[str | int]:
    """The move that greets."""
    return ["say", line("Hello", protocol=protocol, build=build, pid=1)]


def say(kind: str, **fields: object) -> list[str | int]:
    """The move that sends a message."""
    return ["say", line(kind, **fields)]


def line(kind: str, **fields: object) -> str:
    """A message as it stands on the wire."""
    return json.dumps({"type": kind, **fields}) + "\n"


def main(moves: list[list[str | int]]) -> None:
    """Make the moves."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    output = sys.stdout.buffer
    for verb, *rest in moves:
        if verb == "say":
            output.write(str(rest[0]).encode("latin-1"))
            output.flush()
        elif verb == "hear":
            sys.stdin.buffer.readline()
        elif verb == "words":
            print(rest[0], file=sys.stderr, flush=True)
        elif verb == "die":
            os.kill(os.getpid(), int(rest[0]))
            signal.pause()
        elif verb == "exit":
            os._exit(int(rest[0]))
        elif verb == "close":
            os.close(1)
        else:
            assert verb == "sleep"
            while True:
                signal.pause()
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
