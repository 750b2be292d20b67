from danlu.lab.script.launch import Program as Program
from danlu.lab.script.launch import carry_out as carry_out
from danlu.lab.script.launch import find_program as find_program
from danlu.lab.script.trainings import Trainings as Trainings
from danlu.lab.script.trainings import words_on as words_on
from danlu.lab.script.when_imported import when_imported as when_imported
from danlu.watch.everywhere import Everywhere as Everywhere
