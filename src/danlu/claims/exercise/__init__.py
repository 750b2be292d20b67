"""Small scripts with a hidden fault to mend, judged by watch and by the score on samples that the script never saw."""
