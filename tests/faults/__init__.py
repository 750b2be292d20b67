"""The fault suite: healthy trainings that must not be spoken about, and planted faults that must be found."""
