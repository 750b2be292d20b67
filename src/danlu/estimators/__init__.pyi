from danlu.estimators.classifier import Classifier as Classifier
from danlu.estimators.mistakes import EstimatorError as EstimatorError
from danlu.estimators.regressor import Regressor as Regressor
