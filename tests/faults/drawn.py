"""Data drawn by a formula, where a real table would only make a program longer."""

import numpy
import torch
import torch.nn.functional as F


def blobs(n=1200, d=16, c=4, seed=1, noise=1.0):
    """Points around centres, and which centre."""
    g = torch.Generator().manual_seed(seed)
    centres = torch.randn(c, d, generator=g) * 1.2
    y = torch.randint(c, (n,), generator=g)
    return centres[y] + noise * torch.randn(n, d, generator=g), y


def images(n=1000, c=5, size=12, seed=2):
    """Smooth pictures with noise, and which one it was."""
    g = torch.Generator().manual_seed(seed)
    base = F.interpolate(torch.randn(c, 1, 4, 4, generator=g), size=size, mode="bilinear")
    y = torch.randint(c, (n,), generator=g)
    return base[y] + 0.5 * torch.randn(n, 1, size, size, generator=g), y


def series(n=1500, seed=3):
    """Two waves and noise."""
    g = torch.Generator().manual_seed(seed)
    t = torch.arange(n).float()
    return torch.sin(t / 7) + 0.5 * torch.sin(t / 19 + 1) + 0.2 * torch.randn(n, generator=g)


def lm_data(n=4000, v=20, seed=4):
    """Tokens, each drawn after the one before."""
    g = torch.Generator().manual_seed(seed)
    trans = torch.softmax(2.5 * torch.randn(v, v, generator=g), 1)
    row = [0]
    for _ in range(n - 1):
        row.append(int(torch.multinomial(trans[row[-1]], 1, generator=g)))
    return torch.tensor(row), v


def tabular(n, seed, d=20, classes=3):
    """Columns of noise, and a class that a matrix gives."""
    rng = numpy.random.default_rng(seed)
    x = rng.normal(size=(n, d)).astype("float32")
    w = numpy.random.default_rng(99).normal(size=(d, classes))
    y = (x @ w + 0.8 * rng.normal(size=(n, classes))).argmax(1)
    return torch.from_numpy(x), torch.from_numpy(y)


def shapes(n, seed, size=16):
    """A line in a picture: upright, flat or slanting."""
    rng = numpy.random.default_rng(seed)
    x = rng.normal(0, 0.3, size=(n, 1, size, size)).astype("float32")
    y = rng.integers(0, 3, n)
    for i in range(n):
        a, b = rng.integers(2, size - 6, 2)
        if y[i] == 0:
            x[i, 0, a : a + 5, b] += 2
        elif y[i] == 1:
            x[i, 0, a, b : b + 5] += 2
        else:
            x[i, 0, range(a, a + 5), range(b, b + 5)] += 2
    return torch.from_numpy(x), torch.from_numpy(y)


def markov(n, seed, v=16):
    """Tokens, each drawn after the one before, with few that may follow."""
    rng = numpy.random.default_rng(seed)
    m = numpy.random.default_rng(5).dirichlet(numpy.full(v, 0.2), size=v)
    row = [0]
    for _ in range(n - 1):
        row.append(rng.choice(v, p=m[row[-1]]))
    return torch.tensor(row), v


def batches_of(samples, epochs, size=32):
    """The places of the samples, batch by batch, shuffled anew each epoch; the last batch is whatever is left."""
    return [index for _ in range(epochs) for index in torch.randperm(samples).split(size)]
