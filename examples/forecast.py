"""A time series: how many passengers fly next month (a CSV of Month, Passengers), beside the month a year ago."""

import sys

import polars

import danlu

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
path = sys.argv[2] if len(sys.argv) > 2 else "airline-passengers.csv"

data = danlu.load(path, target="Passengers", window=12, horizon=1)
run = danlu.fit(data=data, epochs=epochs, progress=False)

print("net", run.score["test"]["mase"])
print("baseline", run.baselines["seasonal-naive"]["mase"])
print("said", run.predict(polars.read_csv(path).tail(12)), "for the month behind the last")
