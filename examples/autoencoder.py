"""Pictures given back: an autoencoder with a code of eight numbers beside principal components, eight as well."""

import sys

import numpy
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

import danlu

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 60

pixels = load_digits().data / 16
train, test = train_test_split(pixels, test_size=0.2, random_state=0)
parts = {"train": (train, numpy.arange(len(train)) % 2), "test": (test, numpy.arange(len(test)) % 2)}

data = danlu.load(parts, task="reconstruction", standardise=False)
run = danlu.fit("autoencoder", data, epochs=epochs, code=8, progress=False, **{"optim.name": "adam"})
components = PCA(8).fit(train)
given_back = components.inverse_transform(components.transform(test))

print("net", run.score["test"]["rmse"])
print("baseline", float(numpy.sqrt(((given_back - test) ** 2).mean())))
print("given back", numpy.round(run.predict(test[:1])[0][:8], 2).tolist(), "right", test[0][:8].tolist())
