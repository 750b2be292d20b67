"""A text for each text: dates as people write them become ISO dates, beside what the most similar date became."""

import sys

import danlu

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 12

data = danlu.load("dates")
run = danlu.fit("encoder-decoder", data, epochs=epochs, progress=False)


def runs(text):
    return {text[first : first + 3] for first in range(len(text))}


sources = [data.vocabulary.decode(tokens) for tokens in data.x[:, 0]]
targets = data.decode(data.y.clamp(min=0))
pairs = list(zip(sources, targets, strict=True))
known, test = [(runs(text), iso) for text, iso in pairs[: data.sizes["train"]]], pairs[-100:]
right = sum(max(known, key=lambda pair: len(pair[0] & runs(text)))[1] == iso for text, iso in test)

print("exact_match", run.score["test"]["exact_match"])
print("baseline", right / len(test))
print("said", run.predict(["3 March 2021", "sunday, 29 february 2004", "24-Dec-99"], beam=4).tolist())
