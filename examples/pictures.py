"""Pictures: digits of 8×8 pixels, a small convolutional net beside a support vector machine."""

import sys

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC

import danlu

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 40

x, y = load_digits(return_X_y=True)
pictures = x.reshape(-1, 1, 8, 8)
train_x, test_x, train_y, test_y = train_test_split(pictures, y, test_size=0.2, random_state=0)

run = danlu.fit(
    "lenet5", {"train": (train_x, train_y), "test": (test_x, test_y)}, epochs=epochs, activation="relu", progress=False
)
baseline = SVC().fit(train_x.reshape(-1, 64), train_y)

print("net", run.score["test"]["accuracy"])
print("baseline", baseline.score(test_x.reshape(-1, 64), test_y))
print("said", run.predict(test_x[:5]).tolist(), "right", test_y[:5].tolist())
