"""The language in which runs are picked, `optim.lr > 0.01 and finding = none`: one parser for commands and pages."""
