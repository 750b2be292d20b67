"""A net and a loss of one's own: the median instead of the mean, so that a few wild targets do no harm."""

import sys

import numpy
from torch import nn

import danlu

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 60


def pinball(outputs, targets):
    """The loss whose minimum is the median: half the absolute error."""
    return (outputs - targets).abs().mean() / 2


numbers = numpy.random.default_rng(0)
x = numbers.uniform(-2, 2, (600, 1))
clean = numpy.sin(2 * x[:, 0])
y = clean + numpy.where(numbers.random(600) < 0.1, 20.0, 0.0)  # one target in ten is wild
net = nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 1))
common = {"epochs": epochs, "progress": False, "optim.name": "adam", "lr": 0.01}

robust = danlu.fit(net, (x, y), loss=pinball, **common)
usual = danlu.fit("mlp", (x, y), hidden=64, activation="tanh", **common)

for name, run in (("median", robust), ("baseline", usual)):
    print(name, float(numpy.abs(numpy.ravel(run.predict(x)) - clean).mean()))
print("said", numpy.ravel(robust.predict(x[:3])).round(2).tolist(), "right", clean[:3].round(2).tolist())
