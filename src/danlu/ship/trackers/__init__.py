"""Experiment trackers that hear of runs and studies: TensorBoard, MLflow and Weights & Biases, one file each."""
