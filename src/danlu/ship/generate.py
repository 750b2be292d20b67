"""Text that a language model goes on with, a token at a time."""

import torch

from danlu.base.errors import Fault, Faults
from danlu.base.seeds import stream
from danlu.data.targets import Tokens
from danlu.data.vocabulary import RESERVED
from danlu.ship.answerer import Answerer
from danlu.train.carried import Carried

MOST_TOKENS = 100_000
# So many of the last tokens are read again each time by a net that hands out no state; all of them by the program of
# one that did.
_WINDOW = 256


def generate(
    answerer: Answerer,
    text: str,
    *,
    tokens: int = 200,
    temperature: float = 1.0,
    top_k: int | None = None,
    seed: int = 0,
) -> str:
    """`text`, and the `tokens` that the language model goes on with; the same again for the same `seed`.

    Each token is drawn from softmax(logits / temperature), among the `top_k` likeliest where that is given (Fan et al.
    2018, https://arxiv.org/abs/1805.04833); a temperature of 0 takes the likeliest always. Reserved tokens are never
    drawn. Raises UserError for a net that is no language model, a text without a token, and values out of range.
    """
    faults, fitted = Faults(), answerer.fitted
    if not isinstance(fitted.target, Tokens) or fitted.vocabulary is None:
        faults.add("ship.no-language-model", task=Fault(f"base.task-{fitted.task}"))
    if not 1 <= tokens <= MOST_TOKENS:
        faults.add("ship.bad-number", key="tokens", found=tokens, wanted=f"1 … {MOST_TOKENS:,}")
    if not 0 <= temperature < float("inf"):
        faults.add("ship.bad-number", key="temperature", found=temperature, wanted="≥ 0")
    if top_k is not None and top_k < 1:
        faults.add("ship.bad-number", key="top_k", found=top_k, wanted="≥ 1")
    faults.raise_if_any()
    vocabulary = fitted.vocabulary
    assert vocabulary is not None
    known = vocabulary.encode(text)
    if not len(known):
        faults.add("ship.empty-text")
        faults.raise_if_any()
    draws, net = stream(seed, "generate"), Carried(answerer.net)
    taken = torch.tensor([number for number, token in enumerate(vocabulary.tokens) if token not in RESERVED])
    written: list[int] = []
    context, window = known, 0 if getattr(answerer.net, "remembers", False) else _WINDOW
    with torch.no_grad():
        for _ in range(tokens):
            scores = net(context[None])[0, -1][taken].double()
            if top_k is not None and top_k < len(scores):
                scores = scores.masked_fill(scores < scores.topk(top_k).values[-1], -torch.inf)
            if temperature:
                place = torch.multinomial((scores / temperature).softmax(0), 1, generator=draws)
            else:
                place = scores.argmax()[None]
            written.append(int(taken[place]))
            context = taken[place] if net.state is not None else torch.cat([context, taken[place]])[-window:]
    return text + ("" if vocabulary.kind == "characters" else " ") + vocabulary.decode(torch.tensor(written))
