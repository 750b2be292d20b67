"""Fine-tuning: a net that knows the digits 0 to 4 goes on with a few samples of 5 to 9, beside one that begins anew."""

import sys

from sklearn.datasets import load_digits

import danlu

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 30

x, y = load_digits(return_X_y=True)
low, high = y < 5, y >= 5
first = danlu.fit("mlp", (x[low], y[low]), epochs=epochs, hidden=[64, 64], progress=False)

few = danlu.load((x[high], [f"digit {digit}" for digit in y[high]]), samples=100)
tuned = danlu.fit(data=few, weights_from=first, epochs=epochs, progress=False)
anew = danlu.fit("mlp", few, hidden=[64, 64], epochs=epochs, progress=False)

print("fine-tuned", tuned.score["test"]["accuracy"])
print("baseline", anew.score["test"]["accuracy"])
print("said", tuned.predict(x[high][:3]).tolist(), "right", y[high][:3].tolist())
