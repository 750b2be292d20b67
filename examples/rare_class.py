"""A class that is rare: one digit among nine others, with and without weights that let it count more."""

import sys

from sklearn.datasets import load_digits

import danlu

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 20

x, digit = load_digits(return_X_y=True)
kept = (digit != 8) | (load_digits().data.sum(1) > 340)  # few eights
labels = ["eight" if eight else "other" for eight in digit[kept] == 8]
data = danlu.load((x[kept], labels))

plain = danlu.fit("softmax-regression", data, epochs=epochs, progress=False)
weighted = danlu.fit("softmax-regression", data, epochs=epochs, progress=False, **{"loss.class_weights": "balanced"})

print("samples of each class", dict.fromkeys(sorted(set(labels))) | {name: labels.count(name) for name in set(labels)})
for name, run in (("weighted", weighted), ("baseline", plain)):
    test = run.score["test"]
    print(name, test["balanced_accuracy"], "average precision", test["average_precision"])
print("said", weighted.predict(x[:3]).tolist(), "right", digit[:3].tolist())
