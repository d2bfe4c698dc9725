"""python -m benchmarks.quality.steering --model FILE [--questions N]: what the settings do.

For every setting the same questions are answered with the same seed; measured on the text:

words     mean number of words
trait     concise: share of answers shorter than the plain model's answer to the same question;
          verbose: longer; lists: share with a list; formal: contractions per 100 words, lower is
          more formal
repeats   share of word triples that stood in the answer before (loops)
echo      share of answers that talk about the preference itself ("your answer should")

Resumable: settings that are in the result file already are not run again.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean

from benchmarks.bench import Bench, launch_here
from engine.models.catalogue import starter_path
from engine.session.questions import HELD_OUT
from engine.types.answers import Message, Question
from engine.types.steering import Preference, Sampling, Steering

HERE = Path(__file__).parent
SEED = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One cell of the grid."""

    preferences: tuple[str, ...]
    steering: Steering
    penalty: float = 1.3

    @property
    def key(self) -> str:
        if not self.preferences:
            return "plain"
        s = self.steering
        kappa = "off" if s.plausibility is None else f"{s.plausibility:g}"
        wanted = " + ".join(self.preferences)
        return f"{wanted}, {s.place}, {s.combine}, γ {s.gamma:g}, κ {kappa}, r {self.penalty:g}"


def settings() -> Iterator[Setting]:
    """The grid: one thing is changed at a time."""
    yield Setting(preferences=(), steering=Steering())
    for wish in ("concise", "verbose", "formal"):
        for gamma in (0.0, 1.0, 2.0, 4.0):
            yield _setting(wish, gamma=gamma)
    for wish in ("concise", "verbose", "formal"):
        for gamma in (0.0, 2.0, 4.0):
            yield _setting(wish, gamma=gamma, place="system")
    yield _setting("concise", gamma=4.0, plausibility=None)
    yield _setting("verbose", gamma=4.0, plausibility=None)
    yield _setting("verbose", gamma=4.0, penalty=1.0)
    yield _setting("verbose", gamma=4.0, penalty=2.0)
    for combine in ("sum", "compose"):
        yield _setting("concise", "formal", gamma=2.0, combine=combine)


def _setting(*wishes: str, gamma: float, penalty: float = 1.3, **changes: object) -> Setting:
    steering = Steering(
        method="amulet", preferences=tuple(Preference(text=w) for w in wishes), gamma=gamma
    )
    changed = replace(steering, **changes)  # type: ignore[arg-type]
    return Setting(preferences=wishes, steering=changed, penalty=penalty)


def main() -> int:
    arguments = _arguments()
    name = arguments.model.stem
    out: Path = arguments.out or HERE / "results" / f"steering-{name}.json"
    done = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
    asked = HELD_OUT[: arguments.questions]
    model: Path = arguments.model
    bench = Bench(str(model), name=model.stem, launch=launch_here())
    for setting in settings():
        if setting.key in done:
            continue
        begun = time.monotonic()
        answers = [bench.ask(_question(text, setting)) for text in asked]
        done[setting.key] = [asdict(a) for a in answers]
        print(f"{setting.key}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(done, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    table = _table(done)
    out.with_suffix(".md").write_text(table, encoding="utf-8")
    print(table)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=starter_path())
    parser.add_argument("--questions", type=int, default=8)
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


def _question(text: str, setting: Setting) -> Question:
    sampling = Sampling(seed=SEED, max_tokens=160, repetition_penalty=setting.penalty)
    return Question(
        messages=(Message(role="user", text=text),), steering=setting.steering, sampling=sampling
    )


def _table(done: dict[str, list[dict[str, object]]]) -> str:
    plain = [str(a["text"]) for a in next(iter(done.values()))]
    lines = ["| setting | words | trait | repeats | echo |", "|---|---|---|---|---|"]
    for key, answers in done.items():
        texts = [str(a["text"]) for a in answers]
        lines.append(
            f"| {key} | {mean(map(_words, texts)):.0f} | {_trait(key, texts, plain)} | "
            f"{mean(map(repeats, texts)):.2f} | {mean(map(_echoes, texts)):.2f} |"
        )
    return "\n".join(lines) + "\n"


def _trait(key: str, texts: list[str], plain: list[str]) -> str:
    pairs = list(zip(texts, plain, strict=True))
    if key.startswith("concise"):
        return f"{mean(_words(t) < _words(p) for t, p in pairs):.2f} shorter"
    if key.startswith("verbose"):
        return f"{mean(_words(t) > _words(p) for t, p in pairs):.2f} longer"
    count = sum(len(re.findall(r"\w['’]\w", t)) for t in texts)
    return f"{100 * count / max(1, sum(map(_words, texts))):.2f} contractions"


def _words(text: str) -> int:
    return len(text.split())


def repeats(text: str) -> float:
    """Share of word triples that stood in the text before, in [0, 1]."""
    words = text.lower().split()
    triples = list(zip(words, words[1:], words[2:], strict=False))
    return 1 - len(set(triples)) / len(triples) if triples else 0.0


def _echoes(text: str) -> bool:
    about = r"(your|my|the|this) (answer|response)|as (concise|short|verbose|formal|brief)|concis"
    return re.search(about, text.lower()) is not None


if __name__ == "__main__":
    sys.exit(main())
