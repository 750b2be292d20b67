"""A language model: what character comes next, a recurrent net and a transformer beside pairs of characters."""

import math
import sys
from collections import Counter
from itertools import pairwise

import danlu

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 4

data = danlu.load("time-machine")
common = {"epochs": epochs, "steps": 64, "optim.name": "adam", "lr": 0.002, "progress": False}
recurrent = danlu.fit("language-model", "time-machine", **common)
transformer = danlu.fit("transformer-language-model", "time-machine", **common)

train, test = (data.corpora[part].tolist() for part in ("train", "test"))
pairs, singles = Counter(pairwise(train)), Counter(train)
size = len(data.vocabulary)
losses = [-math.log((pairs[a, b] + 1) / (singles[a] + size)) for a, b in pairwise(test)]

print("recurrent", recurrent.score["test"]["perplexity"], "transformer", transformer.score["test"]["perplexity"])
print("baseline", math.exp(sum(losses) / len(losses)))
print("said", transformer.generate("the time traveller ", tokens=60, temperature=0.7))
