"""What listens to a training: journal, checkpoints, notices, trackers, predictions, pictures of the net."""
