"""One rule a file: it reads what was measured and answers with a verdict, or with nothing."""
