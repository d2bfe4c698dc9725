"""The values that cross boundaries: frozen, keyword-only, made of plain Python types.

Seconds and bytes unless a name says otherwise. Probabilities are in [0, 1], strengths γ and
weights θ are dimensionless, utilities are in nats.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["system", "user", "assistant"]
Method = Literal["base", "pref", "la", "amulet"]
Place = Literal["end", "system"]
Combine = Literal["sum", "compose"]
Finish = Literal["end", "length", "context", "stopped", "interrupted"]
Outcome = Literal["first", "second", "equal", "neither"]
LearnerName = Literal["utilities", "neural"]
MergeMethod = Literal["calm", "average", "arithmetic", "ties", "random-mask", "best"]
MergeStorage = Literal["Q8_0", "F16"]

METHODS: tuple[Method, ...] = ("base", "pref", "la", "amulet")
OUTCOMES: tuple[Outcome, ...] = ("first", "second", "equal", "neither")
MERGE_METHODS: tuple[MergeMethod, ...] = (
    "calm", "average", "arithmetic", "ties", "random-mask", "best",
)  # fmt: skip
"""How models are merged; "best" tries all and takes what keeps the members best."""

MERGE_STORAGES: tuple[MergeStorage, ...] = ("Q8_0", "F16")
MAX_GAMMA = 10.0
"""The largest strength γ on offer: twice the published 4.65; beyond it small models derail."""

MAX_WEIGHT = 2.0
MAX_PREFERENCES = 4
"""Preferences at once; with "sum" each costs a stream."""

MAX_THETA = 2.5
"""The largest weight θ that votes can give a trait, in either direction."""

MAX_PULLS = 8
"""Learned pulls at once; each costs a stream."""

MAX_MEMBERS = 7
"""Members of a portfolio at most; more would have to be kept at hand for little."""

QUESTIONS = (10, 70)
"""The fewest and the most calibration questions that a candidate can be measured on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a chat, as its reader sees it."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """What the owner wants, in words.

    text    one adjective ("concise") or a sentence of their own
    weight  multiplies γ for this preference alone, in [0, MAX_WEIGHT]
    """

    text: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """A preference sentence with the weight that it acts with; its utility φ is added up.

    theta  θ in [−MAX_THETA, MAX_THETA]; 0 only listens: the answer is not changed
    """

    sentence: str
    theta: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """A neural reward on the mean hidden state of the answer so far, to decode with.

    Source: T-POP (arXiv 2509.24696). Arrays are float32 in native byte order, flattened.

    network      W1 (units × d), b1, w2, b2, in this order
    units        hidden units
    omega        ω ≥ 0, weight of the reward
    squash       reward through a sigmoid, or as it is
    candidates   k: tokens of each answer that are weighed
    exploration  ν ≥ 0: how strongly this answer is pulled to where the reward is unsure, measured
                 against the first answer of the same batch that does not explore; 0 is none
    spread       V, the diagonal, as long as `network`; empty where `exploration` is 0
    """

    network: bytes
    units: int
    omega: float = 1.0
    squash: Literal["sigmoid", "raw"] = "sigmoid"
    candidates: int = 8
    exploration: float = 0.0
    spread: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """How an answer is pulled towards the preferences and what was learned.

    method        "base" ignores them, "pref" only states them, "la" is γ = 2, "amulet" uses gamma
    gamma         strength γ in [0, MAX_GAMMA]; 0 equals "pref"
    plausibility  κ in (0, 1]: tokens less likely than κ × the likeliest are cut before steering;
                  None is off and reproduces the paper exactly
    place         where the preference sentence stands: after the last question, or in the system
                  message as published
    combine       several preferences: a stream each ("sum"), or one composed sentence ("compose")
    pulls         what was learned from votes; acts with every method
    reward        the learned reward of the neural form, or None
    """

    method: Method = "base"
    preferences: tuple[Preference, ...] = ()
    gamma: float = 2.0
    plausibility: float | None = 0.1
    place: Place = "end"
    combine: Combine = "sum"
    pulls: tuple[Pull, ...] = ()
    reward: Reward | None = None


NEUTRAL = Steering()
"""The untouched model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How a token is drawn after steering; every rule is off at its neutral value.

    temperature         in [0, 5]; 0 takes the likeliest token
    top_k               in [0, 10^6]; 0 is off
    top_p, min_p        in [0, 1]; 1 and 0 are off
    repetition_penalty  in [1, 10]: divides the probability of tokens seen in the last 64; 1 is off
    max_tokens          in [1, 10^6]
    seed                in [0, 2^63), or None for one drawn afresh (the answer says which)
    """

    temperature: float = 0.7
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repetition_penalty: float = 1.3
    max_tokens: int = 512
    seed: int | None = None


_SAMPLING_RANGES: tuple[tuple[str, float, float], ...] = (
    ("temperature", 0, 5),
    ("top_k", 0, 1_000_000),
    ("top_p", 0, 1),
    ("min_p", 0, 1),
    ("repetition_penalty", 1, 10),
    ("max_tokens", 1, 1_000_000),
    ("seed", 0, 2**63 - 1),
)


def out_of_range(sampling: Sampling) -> tuple[str, float, str] | None:
    """Name, value and allowed range of the first number that is outside its own; None if none."""
    for name, low, high in _SAMPLING_RANGES:
        value = getattr(sampling, name)
        if value is not None and not low <= value <= high:  # NaN is outside, too
            return name.replace("_", "-"), value, f"from {low} to {high}"
    return None


GREEDY = Sampling(temperature=0.0, top_k=0, top_p=1.0, min_p=0.0, repetition_penalty=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Everything that one answer depends on; messages end with the owner's.

    personal  whether what was learned from votes is added to `steering`
    embed     whether the answer's embedding is wanted
    """

    messages: tuple[Message, ...]
    steering: Steering = NEUTRAL
    sampling: Sampling = Sampling()
    personal: bool = False
    embed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How the inference child runs llama.cpp; found by the self-test and remembered.

    variant      name of the CPU library ("haswell"), or None where only one is built
    gpu_layers   layers on the GPU; 0 is CPU only, -1 all
    extra_bufts  whether weights may be repacked for this CPU (off avoids AMX where it faults)
    threads      threads for decoding, ≥ 1
    context      tokens in the KV cache, all streams together
    """

    variant: str | None = None
    gpu_layers: int = 0
    extra_bufts: bool = True
    threads: int = 1
    context: int = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """A model that the owner can choose: a file, or one with an adapter that acts on it.

    id              short and stable; what `--model` takes
    path            absolute; the file is referenced, never copied
    sha256          of the whole file, hex, as recorded when it was added
    size            of its files together, bytes
    parameters      count of weights, 0 where the header does not tell
    context         tokens the model was trained for
    licence         as the file states it, "" where it does not
    available       whether its files are still there
    adapter         absolute path of an adapter that acts on the model in `path`; "" for none
    adapter_sha256  as `sha256`, of the adapter
    """

    id: str
    name: str
    path: str
    sha256: str
    size: int
    architecture: str
    parameters: int
    context: int
    licence: str
    starter: bool = False
    available: bool = True
    adapter: str = ""
    adapter_sha256: str = ""

    @property
    def digest(self) -> str:
        """What answers that were measured are kept under, hex: `sha256` of a plain model, of an
        adapted one the SHA-256 of both hashes, one after the other."""
        if not self.adapter:
            return self.sha256
        return hashlib.sha256((self.sha256 + self.adapter_sha256).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something the owner should know that is not an error: one sentence."""

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A model is loaded.

    model   its id; of a file that was not added, the one it would get
    name    what people call it
    device  where it runs, in words ("CPU, icelake, 2 threads")
    """

    model: str
    name: str
    device: str
    context: int
    template: Literal["model", "plain"]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The prompt is understood; text follows.

    prompt_tokens  tokens of the longest prompt variant
    cached_tokens  of these, how many were in the KV cache already
    dropped        messages left out because the chat outgrew the context
    streams        sequences decoded in parallel
    gamma          the strength that acts, 0 where none does
    """

    prompt_tokens: int
    cached_tokens: int
    context: int
    dropped: int
    streams: int
    seed: int
    gamma: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Text to append to answer number `answer`; tokens generated so far."""

    text: str
    tokens: int
    answer: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """Where the time of one answer went."""

    load: float = 0.0
    prefill: float = 0.0
    decode: float = 0.0
    steer: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A finished answer; `finish` says why it ended.

    used       tokens of the context that the chat occupies now
    gamma      the strength that acted, 0 where none did
    utilities  φ in nats of each pull: Σ over the answer's tokens of L_j − Lb
    surprise   mean −log p of the answer's tokens under the untouched model, nats
    embedding  mean last hidden state over the answer's tokens, float32, (d,); b"" unless asked for
    """

    text: str
    finish: Finish
    tokens: int
    streams: int
    gamma: float
    seed: int
    used: int
    context: int
    model: str
    seconds: Seconds = field(default_factory=Seconds)
    utilities: tuple[float, ...] = ()
    surprise: float = 0.0
    embedding: bytes = b""

    @property
    def tokens_per_second(self) -> float | None:
        """Speed after the first token; None before two tokens exist."""
        spent = self.seconds.decode + self.seconds.steer
        return (self.tokens - 1) / spent if self.tokens > 1 and spent > 0 else None


AnswerEvent = Notice | Started | Chunk | Answer | Ready
StartEvent = Notice | Ready


# Learning -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """A direction of style with two poles, each with its own preference sentence.

    id            stable; what the record refers to
    more, less    the poles in plain words: "shorter answers", "longer answers"
    sentence      asks for the first pole
    opposite      asks for the second; "" where the owner gave only one sentence
    visible       how much a reader notices of it, in (0, 1]: where to begin asking
    own           the owner added it
    """

    id: str
    more: str
    less: str
    sentence: str
    opposite: str = ""
    visible: float = 0.5
    own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedTrait:
    """What the votes say about a trait.

    weight     posterior mean in [−1, 1]: 1 is as strongly as Attune ever steers towards `more`
    low, high  95 % credible interval on the same scale
    sure       probability that the owner likes `more` better than `less`
    theta      θ that acts on answers now; 0 while too unsure, or beyond the strongest few
    votes      ids of the duels that asked about it, oldest first; forgotten ones left out
    to_settle  comparisons that would probably settle it; 0 is settled
    """

    trait: Trait
    weight: float
    low: float
    high: float
    sure: float
    theta: float
    votes: tuple[str, ...]
    to_settle: int

    @property
    def liked(self) -> str:
        """The pole that the votes lean to."""
        return self.trait.more if self.sure >= 0.5 else self.trait.less

    @property
    def likely(self) -> float:
        """Probability that this is the pole that the owner likes, at least ½."""
        return max(self.sure, 1.0 - self.sure)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """How a vote moved one trait: probabilities that `pole` is what the owner likes."""

    trait: str
    pole: str
    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """Everything that is learned at one moment.

    traits       those that are asked about, strongest first
    learner      which form of T-POP answers
    neutral      whether the untouched model answers all the same
    votes        votes that count
    to_settle    comparisons that would probably settle everything
    removed      traits that are not asked about and can be brought back
    undoable     what Undo would take back, in words; "" if there is nothing
    newest_vote  id of the duel, where what Undo would take back is the vote on it; else ""
    unreadable   votes and other entries of the record that are damaged and do not count
    """

    traits: tuple[LearnedTrait, ...]
    learner: LearnerName
    neutral: bool
    votes: int
    to_settle: int
    removed: tuple[Trait, ...] = ()
    undoable: str = ""
    newest_vote: str = ""
    unreadable: int = 0

    @property
    def acting(self) -> tuple[LearnedTrait, ...]:
        """The traits that steer answers now, the strongest first."""
        steering = (trait for trait in self.traits if trait.theta)
        return tuple(sorted(steering, key=lambda trait: -abs(trait.theta)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Voted:
    """What a vote did: the sentence for the owner, and all of what is learned now."""

    duel: str
    outcome: Outcome
    sentence: str
    changed: tuple[Moved, ...]
    learned: Learned


@dataclass(frozen=True, slots=True, kw_only=True)
class PastVote:
    """A vote on record, as the owner may see it.

    question, answers  "" where the owner did not let texts be kept
    """

    duel: str
    at: float
    outcome: Outcome
    trait: str
    question: str
    answers: tuple[str, str]
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Duel:
    """Two finished answers to one question.

    id       what a vote names; "" where there is nothing to vote on (see `verdict`)
    why      what the vote would tell, in words
    verdict  "open" for a vote, "same" where both came out nearly alike, "cut" where one of them
             did not come to its end
    """

    id: str
    answers: tuple[Answer, Answer]
    why: str
    verdict: Literal["open", "same", "cut"] = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """How a simulated owner likes the answers after so many votes.

    win_rate  share of other questions whose answer beats the untouched model's; a draw is half
    utility   the owner's mean utility of those answers, logits
    regret    how much less that is than the best point of the same simulation
    """

    votes: int
    win_rate: float
    utility: float
    regret: float


DuelEvent = Notice | Started | Chunk | Duel | Ready


# Portfolio ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A setting that could answer: a model, and how it is used.

    id           stable, made of everything below but the name; says nothing of where a file lies
    model        id of an installed model
    name         in plain words: "Qwen2.5 0.5B, concise"
    preferences  adjectives or sentences, composed into one preference sentence; () is the plain
                 model
    gamma        strength γ in [0, MAX_GAMMA]; 0 with preferences only states them
    sampling     how tokens are drawn; the seed is not part of a candidate
    """

    id: str
    model: str
    name: str
    preferences: tuple[str, ...] = ()
    gamma: float = 0.0
    sampling: Sampling = field(default_factory=Sampling)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """One thing that answers are scored on, and that an owner's weights can ask for.

    id     a trait's id with "+" for `more` and "-" for `less` ("short+"), or "quality"
    name   in plain words: "shorter answers"
    floor  the least weight that anybody is taken to give it, in [0, 1); weights sum to 1
    """

    id: str
    name: str
    floor: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """How far the worst-served owner is from the best in the pool, and who that is.

    value    ε is a share of the best reward, δ is in units of reward; ≥ 0
    witness  that owner's weights by objective, ≥ 0, summing to 1
    """

    value: float
    witness: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What is proved of a portfolio: within ε, δ of the best of its pool, for every weighting, on
    its prompts and its scorers. No more.

    epsilon, delta  the exact gaps on the certifying half of the prompts
    low, high       95 % bootstrap interval of ε over those prompts
    selecting       ε on the other half, which the members were chosen on
    mean, p95       of the multiplicative gap over weights drawn evenly
    usage           share of evenly drawn weights that each member serves, by member
    perplexity      exp of the entropy of `usage`: members that are in use, in [1, members]
    prompts         on the certifying half
    """

    epsilon: Gap
    delta: Gap
    low: float
    high: float
    selecting: float
    mean: float
    p95: float
    usage: tuple[float, ...]
    perplexity: float
    prompts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A setting worth keeping.

    index    place in the portfolio's candidates
    best_at  what it does better than the other members, in words
    fits     whether its model is there, unchanged, and fits into this computer's memory
    reason   why it does not, in one sentence; "" where it does
    """

    index: int
    best_at: str
    fits: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A candidate that was not chosen from, and why."""

    candidate: Candidate
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """The settings worth keeping, how good they are, and what they were chosen from.

    objectives   what answers are scored on, d of them
    candidates   the pool that was measured and is safe enough
    rewards      mean normalised reward, candidates × objectives, in [0, 1], certifying half
    members      those that were chosen, the most used first
    certificate  how near to the best of the pool they are
    left_out     candidates that could not be measured or were not safe enough
    weights      the owner's, by objective, as the votes and the sliders say
    built_at     seconds since the epoch
    notices      what has changed since: a model that is gone or different
    """

    objectives: tuple[Objective, ...]
    candidates: tuple[Candidate, ...]
    rewards: tuple[tuple[float, ...], ...]
    members: tuple[Member, ...]
    certificate: Certificate
    left_out: tuple[LeftOut, ...]
    weights: tuple[float, ...]
    built_at: float
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Which member answers next, said before it does.

    member   what answers
    why      in one sentence
    others   members that the owner may take instead, the next best first; taking one is evidence
    refused  members that cannot be had now, with the reason
    """

    member: Candidate
    why: str
    others: tuple[Candidate, ...] = ()
    refused: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """What a build measures: generated from the installed models, and edited by the owner.

    candidates  that would be measured
    removed     generated ones that the owner took out
    answers     to be written in all
    known       of these, how many are there from an earlier build
    """

    candidates: tuple[Candidate, ...]
    removed: tuple[Candidate, ...]
    answers: int
    known: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far long work has come; `left` is an estimate in seconds, None before there is one."""

    done: int
    total: int
    left: float | None
    text: str


BuildEvent = Notice | Progress | Portfolio


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedAdapter:
    """An adapter that was trained, and how it does on questions that it was not trained on.

    objective  what was learned ("short+"); `name` is that in plain words
    base       id of the model that it was made for
    plain, amulet, adapter  mean score of the objective without steering, with Amulet and with the
               adapter alone; the unit is the trait's own, more is more of it
    kept       (adapter - plain) / (amulet - plain), None where Amulet moves nothing
    time       seconds per token with the adapter over those of Amulet's two streams; None where
               it could not be measured
    questions  that the means are over
    """

    path: str
    objective: str
    name: str
    base: str
    plain: float
    amulet: float
    adapter: float
    kept: float | None
    time: float | None
    questions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Whether a file can be a member of a merge.

    name     of the file, or of what the workshop made
    kind     "adapter", "model", or "" where it is neither
    problem  why it cannot, in a sentence; "" where it can
    warning  what would make the merge worse, in a sentence; "" where nothing is known
    """

    path: str
    name: str
    kind: str
    problem: str = ""
    warning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Of the masked weights of a merge, the share taken from the member that was added.

    rows     layers, the first first
    columns  kinds of matrix ("attn_q"), in the order in which they act
    cells    in [0, 1], rows × columns; None where there is no such matrix
    """

    share: float
    rows: tuple[int, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An adapter or a merged model that the workshop made, as its card tells.

    name      what people call it: "SmolLM2 135M Instruct, short"
    kind      "adapter" or "model"
    at        when the file was written, seconds since the epoch
    base      name of the file that it was made from
    base_sha256  of that file, hex
    size      of the file, bytes
    method    "train", "calm", "average" …
    members   names of what was merged, in order; of an adapter none
    trait     what an adapter was taught, in plain words; "" of a model
    kept      of an adapter: share of what Amulet does to that trait; None where it was not measured
    time      of an adapter: time per token over Amulet's; None where it was not measured
    losses    of a learned merge: name of a model, this one, a member or a baseline → mean loss of
              each member's own answers, nats per token; the smaller the better it keeps it
    best      of a learned merge: the name in `losses` of the method that keeps the members best
    shares    of a learned merge, one for each mask
    survival  share of the change that is in the file, in [0, 1]
    notices   what was said while it was made
    model     id where it is among the models that can be chosen; "" where it is not
    """

    path: str
    name: str
    kind: str
    at: float
    base: str
    size: int
    method: str
    base_sha256: str = ""
    members: tuple[str, ...] = ()
    trait: str = ""
    kept: float | None = None
    time: float | None = None
    losses: tuple[tuple[str, tuple[float, ...]], ...] = ()
    best: str = ""
    shares: tuple[Shares, ...] = ()
    survival: float = 1.0
    notices: tuple[str, ...] = ()
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One rung of the self-test: which settings were tried and how it went."""

    launch: Launch
    works: bool
    tokens_per_second: float
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What `attune doctor` shows; `offline` says that the process which runs models tried to open a
    socket to a network, and the system refused it."""

    version: str
    system: str
    cpu: str
    cpu_variant: str
    variants: tuple[str, ...]
    devices: tuple[str, ...]
    threads: int
    model: str
    data_dir: str
    sqlite: str
    launch: Launch
    self_test: tuple[Trial, ...]
    remembered: bool
    offline: bool


# Chats --------------------------------------------------------------------------------------

Speaker = Literal["user", "assistant"]
MessageState = Literal["whole", "partial", "stopped", "interrupted"]
"""How an answer stands: "partial" is being written, or was when Attune ended without a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A chat in the list.

    title     the owner's, or the beginning of the first question
    named     the owner gave the title
    created   seconds since the epoch, as is `changed`: when something was last said
    deleted   when it went to the trash; None where it did not
    messages  in all, other versions included
    snippet   how the newest message begins
    """

    id: str
    title: str
    named: bool
    created: float
    changed: float
    pinned: bool
    deleted: float | None
    messages: int
    snippet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """A question or an answer in the tree of a chat.

    parent    id of what it follows; "" where it is a first question
    at        seconds since the epoch
    model     id of what answered; "" of a question
    finish    why the answer ended; "" while nobody knows
    tokens    of the answer, 0 of a question
    duel      id of the duel that this is an answer of; ""
    facts     what else belongs to it, as JSON has it: steering, member, seconds
    versions  ids of all that follow the same parent, itself included, the oldest first; () where
              nobody looked
    """

    id: str
    chat: str
    parent: str
    role: Speaker
    text: str
    at: float
    state: MessageState = "whole"
    model: str = ""
    finish: Finish | Literal[""] = ""
    tokens: int = 0
    duel: str = ""
    facts: dict[str, object] = field(default_factory=dict)
    versions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenChat:
    """A chat and its current branch, the first question first."""

    chat: Chat
    messages: tuple[ChatMessage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A chat that a search found.

    message  id of its newest message that fits; "" where the title does
    snippet  of that message, or the title
    marks    where the words stand in it: first character and the one after the last
    """

    chat: Chat
    message: str
    snippet: str
    marks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of an import; `skipped` chats were there already."""

    chats: int
    messages: int
    skipped: int
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A copy of a file that lasts.

    of        name of the file: "chats.db"
    at        when it was made, seconds since the epoch
    size      bytes
    replaced  not a copy, but what a restored copy took the place of
    """

    name: str
    of: str
    at: float
    size: int
    replaced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A profile that was written.

    votes     in it
    left_out  votes with features that no profile may hold
    size      of the file, bytes
    """

    path: str
    votes: int
    left_out: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChange:
    """A setting that an import changes, in plain words: ("strength", "2", "4.5")."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileDiff:
    """What an import changes, or would.

    name       of the profile: its file's, without the extension
    exported   when it was written, seconds since the epoch
    replace    what stands here counts no more; else both count
    before     what is learned now, whichever form of learning answers
    after      what will be
    new        votes that count then and do not now
    known      votes that count here already and are passed over
    differing  of these, on how many the file says something else; a merge keeps what was said here
    left_out   votes on duels that are others here, by an id drawn twice or damage
    dropped    votes that count now and will not
    texts      new votes that come with question and answers
    added      the owner's own traits that are new here
    reworded   own traits whose sentence becomes another
    gone       traits, built-in or own, that are asked about now and will not be
    back       removed traits, built-in or own, that will be asked about again
    refused    sentences of own traits that are not taken in: they are about agreement
    settings   that become others
    """

    name: str
    exported: float
    replace: bool
    before: Learned
    after: Learned
    new: int = 0
    known: int = 0
    differing: int = 0
    left_out: int = 0
    dropped: int = 0
    texts: int = 0
    added: tuple[Trait, ...] = ()
    reworded: tuple[Trait, ...] = ()
    gone: tuple[Trait, ...] = ()
    back: tuple[Trait, ...] = ()
    refused: tuple[str, ...] = ()
    settings: tuple[SettingChange, ...] = ()

    @property
    def empty(self) -> bool:
        """A merge that changes nothing, and is not put on record."""
        traits = self.added or self.reworded or self.gone or self.back
        return not (self.replace or self.new or self.dropped or traits or self.settings)


# The owner's data ---------------------------------------------------------------------------

DataKind = Literal[
    "chats", "votes", "profile", "answers", "models", "made", "settings", "backups", "work"
]
"""What Attune keeps; "answers" are those that were measured, "work" is what stopped jobs go on
with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPart:
    """One kind of what is kept.

    count    chats, votes, traits that are asked about, answers, models that were added, files made,
             settings files, copies, pieces of work; None where it could not be counted
    size     bytes of its files; of the profile 0, because it is worked out from the votes
    path     absolute, of its file or folder, whether it is there or not
    trouble  why it could not be counted, in a sentence; ""
    """

    kind: DataKind
    count: int | None
    size: int
    path: str
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataOverview:
    """What is kept where; `size` in bytes is of all files that Attune made in the folder."""

    folder: str
    parts: tuple[DataPart, ...]
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """A file in the data folder: absolute path, bytes, and why it stays or stayed; "" else."""

    path: str
    size: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataExport:
    """An export of everything.

    path      of the new folder or zip file
    files     names in it
    size      bytes of these files, before they are packed
    left_out  what is not in it, a sentence each
    """

    path: str
    files: tuple[str, ...]
    size: int
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasable:
    """What would be erased, and what would stay because Attune did not make it."""

    folder: str
    files: tuple[DataFile, ...]
    stays: tuple[DataFile, ...] = ()

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """A file that is gone: absolute path, bytes, and when, seconds since the epoch."""

    path: str
    size: int
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was erased.

    at      when that was done, seconds since the epoch
    failed  files of Attune's that could not be erased, with the reason
    stays   files in the folder that Attune did not make, or still needs, with the reason
    """

    folder: str
    at: float
    erased: tuple[Erased, ...]
    failed: tuple[DataFile, ...] = ()
    stays: tuple[DataFile, ...] = ()

    @property
    def size(self) -> int:
        return sum(file.size for file in self.erased)


def template_notice(name: str, reason: str) -> Notice:
    """Said where a model's chat template is replaced."""
    text = f"{name} comes without a usable chat template ({reason}); a plain one is used."
    return Notice(code="plain_template", text=text)
