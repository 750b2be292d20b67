"""scikit-learn's manners: a run inside a pipeline, searched over by a grid, beside logistic regression."""

import sys

from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import danlu

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 20

x, y = load_wine(return_X_y=True)
train_x, test_x, train_y, test_y = train_test_split(x, y, test_size=0.3, random_state=0)

net = make_pipeline(StandardScaler(), danlu.Classifier("mlp", epochs=epochs))
search = GridSearchCV(net, {"classifier__lr": [0.01, 0.1]}, cv=3).fit(train_x, train_y)
baseline = make_pipeline(StandardScaler(), LogisticRegression()).fit(train_x, train_y)

print("net", search.score(test_x, test_y), "with", search.best_params_)
print("baseline", baseline.score(test_x, test_y))
print("said", search.predict(test_x[:5]).tolist(), "right", test_y[:5].tolist())
