"""Classes from a table: 30 measurements of cells, benign or malignant, a perceptron beside a random forest."""

import sys

import polars
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier

import danlu

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 100

cells = load_breast_cancer()
frame = polars.DataFrame(cells.data, schema=[str(name) for name in cells.feature_names])
frame = frame.with_columns(kind=polars.Series([str(cells.target_names[label]) for label in cells.target]))
frame = frame.sample(fraction=1.0, shuffle=True, seed=0)
train, test = frame.head(455), frame.tail(114)

run = danlu.fit("mlp", {"train": train, "test": test}, target="kind", epochs=epochs, progress=False)
forest = RandomForestClassifier(random_state=0).fit(train.drop("kind").to_numpy(), train["kind"].to_numpy())

print("net", run.score["test"]["accuracy"])
print("baseline", forest.score(test.drop("kind").to_numpy(), test["kind"].to_numpy()))
print("said", run.predict(test.head(3)).tolist(), "right", test["kind"].head(3).to_list())
