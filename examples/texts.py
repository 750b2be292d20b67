"""Short texts with a label: is a line of documentation NumPy's or PyTorch's? A transformer beside counts of words."""

import inspect
import sys

import numpy
import torch
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

import danlu

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 20


def lines(library):
    """Some plain words of the documentation of everything that a library offers."""
    texts = (inspect.getdoc(getattr(library, name, None)) or "" for name in dir(library))
    found = {line.strip() for text in texts for line in text.splitlines()}
    return sorted(line[:80] for line in found if len(line.split()) > 5 and line.replace(" ", "").isalpha())[:800]


texts = [*lines(numpy), *lines(torch)]
labels = ["numpy"] * len(lines(numpy)) + ["torch"] * len(lines(torch))
train, test, train_y, test_y = train_test_split(texts, labels, test_size=0.25, random_state=0, stratify=labels)

data = {"train": (train, train_y), "test": (test, test_y)}
run = danlu.fit("transformer-classifier", data, epochs=epochs, progress=False, **{"data.tokens": "words"})
baseline = make_pipeline(CountVectorizer(), LogisticRegression()).fit(train, train_y)

print("net", run.score["test"]["accuracy"])
print("baseline", baseline.score(test, test_y))
print("said", run.predict(test[:3]).tolist(), "right", test_y[:3])
