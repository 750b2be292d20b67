"""Signal flow: what the journal says of each layer at each measured step."""

import view_samples as made
from danlu.store.records import LayersMeasured
from danlu.view.info.flow import flow


def layers(*steps: int) -> list[LayersMeasured]:
    return [LayersMeasured.from_json(made.layers_record(step)) for step in steps]


def test_each_cell_is_the_journals_number() -> None:
    found = flow(made.sample_run().history.layers)
    assert found.layers == ("first", "middle", "last")
    assert found.steps == (1, 20, 40)
    assert found.grids["gradient"][0] == (0.01, 0.01 / 20, 0.01 / 40)
    assert found.grids["update"][2] == (None, None, None), "not a finite number"
    assert found.grids["spread"][2] == (None, None, None), "not measured"


def test_a_step_told_again_after_a_resume_replaces_what_came_later() -> None:
    assert flow(layers(1, 20, 40, 20)).steps == (1, 20)


def test_a_layer_that_appears_later_has_a_gap_before() -> None:
    later = LayersMeasured(step=2, names=("first", "new"), gradient=[1.0, 2.0])
    found = flow([LayersMeasured(step=1, names=("first",), gradient=[5.0]), later])
    assert found.grids == {"gradient": ((5.0, 1.0), (None, 2.0))}


def test_of_many_steps_the_first_and_the_newest_stay() -> None:
    found = flow(layers(*range(1, 1001)), most=50)
    assert len(found.steps) == 50
    assert (found.steps[0], found.steps[-1]) == (1, 1000)


def test_nothing_measured_is_nothing_drawn() -> None:
    assert flow([]).grids == {}
