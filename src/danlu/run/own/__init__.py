"""What somebody gives of their own: losses, metrics, nets, optimisers, schedules, listeners."""
