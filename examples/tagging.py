"""A tag for each token: the words of The Time Machine in small letters, which of them had a capital?"""

import sys

import danlu

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 8

data = danlu.load("time-machine-capitals")
run = danlu.fit("sequence-tagger", data, epochs=epochs, lr=0.003, progress=False)

small = data.class_counts()[data.classes.index("small")] / sum(data.class_counts())

print("f1", run.score["test"]["f1"])
print("baseline", small / (1 + small))  # the mean of 2·small / (1 + small), which always saying "small" has, and of 0
print("said", run.predict(["i told weena . the psychologist said no"]))
