"""A number from a table: how far diabetes has gone a year later, TabM beside ridge regression."""

import sys

import polars
from sklearn.datasets import load_diabetes
from sklearn.linear_model import RidgeCV

import danlu

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 30

patients = load_diabetes()
frame = polars.DataFrame(patients.data, schema=patients.feature_names).with_columns(progress=patients.target)
frame = frame.sample(fraction=1.0, shuffle=True, seed=0)
train, test = frame.head(354), frame.tail(88)

run = danlu.fit("tabm", {"train": train, "test": test}, target="progress", epochs=epochs, progress=False)
ridge = RidgeCV().fit(train.drop("progress").to_numpy(), train["progress"].to_numpy())

print("net", run.score["test"]["r2"])
print("baseline", ridge.score(test.drop("progress").to_numpy(), test["progress"].to_numpy()))
print("said", run.predict(test.head(3)).tolist(), "right", test["progress"].head(3).to_list())
