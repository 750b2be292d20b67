"""Several labels a sample: what holds of a handwritten digit, beside one logistic regression for each label."""

import sys

import numpy
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.multioutput import MultiOutputClassifier

import danlu

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 40

x, digit = load_digits(return_X_y=True)
flags = numpy.stack([digit % 2 == 0, numpy.isin(digit, (0, 6, 8, 9)), digit > 4], axis=1)  # even, has a loop, above 4
train_x, test_x, train_y, test_y = train_test_split(x, flags, test_size=0.2, random_state=0)

run = danlu.fit("mlp", {"train": (train_x, train_y), "test": (test_x, test_y)}, epochs=epochs, progress=False)
baseline = MultiOutputClassifier(LogisticRegression(max_iter=5000)).fit(train_x, train_y)

print("net", run.score["test"]["f1"])
print("baseline", f1_score(test_y, baseline.predict(test_x), average="macro"))
print("said", run.predict(test_x[:3]).tolist(), "right", test_y[:3].tolist())
