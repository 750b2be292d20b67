"""Several numbers at once: two properties of a wine from the eleven others, a perceptron beside linear regression."""

import sys

import polars
from sklearn.datasets import load_wine
from sklearn.linear_model import LinearRegression

import danlu

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 100

wine = load_wine()
frame = polars.DataFrame(wine.data, schema=wine.feature_names).sample(fraction=1.0, shuffle=True, seed=0)
targets = ["alcohol", "color_intensity"]
train, test = frame.head(142), frame.tail(36)

run = danlu.fit("mlp", {"train": train, "test": test}, target=targets, epochs=epochs, progress=False)
linear = LinearRegression().fit(train.drop(targets).to_numpy(), train.select(targets).to_numpy())

print("net", run.score["test"]["r2"])
print("baseline", linear.score(test.drop(targets).to_numpy(), test.select(targets).to_numpy()))
print("said", run.predict(test.head(2)).tolist(), "right", test.select(targets).head(2).rows())
