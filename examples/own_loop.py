"""A training loop of one's own, watched: what is wrong with it, on which line, and does the remedy help?"""

import sys

import torch
from sklearn.datasets import load_digits
from torch import nn

import danlu

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 10

digits = load_digits()
x, y = torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target)


def train(*ending):
    """The accuracy after training, and what danlu found."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10), *ending)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    with danlu.watch(net, optimizer) as watch:
        for _ in range(epochs):
            for rows in torch.randperm(1400).split(64):
                optimizer.zero_grad()
                nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
                optimizer.step()
    return (net(x[1400:]).argmax(1) == y[1400:]).float().mean().item(), watch.findings


right, found = train(nn.Softmax(dim=1))
cured, rest = train()
print("cured", cured, rest)
print("baseline", right, [(finding.rule, finding.line) for finding in found])
