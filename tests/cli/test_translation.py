"""`danlu fit` and `danlu predict --beam` of texts that become texts."""

from pathlib import Path

from command_line import Type

ROWS = [(f"{one}{two}", f"{two}{one}") for one in "abcdefg" for two in "hijklmn"]
FIT = ("fit", "pairs.csv", "--target", "there", "net.hidden=8", "net.embedding=8", "train.epochs=1", "--name", "run")


def test_a_table_of_pairs_is_fitted_and_predicted_with_a_beam(type_in: Type, work: Path) -> None:
    (work / "pairs.csv").write_text("\n".join(["here,there", *map(",".join, ROWS)]), encoding="utf-8")
    told = type_in(*FIT)
    assert told.code == 0
    assert 'turn "here" into "there"' in told.err + told.out
    (work / "new.txt").write_text("ah\nbi\n", encoding="utf-8")
    answered = type_in("predict", "runs/run", "new.txt", "--beam", "3", "--json").json
    assert [row["row"] for row in answered["rows"]] == ["1", "2"]
    scored = type_in("predict", "runs/run", "pairs.csv", "--json").json
    assert set(scored["score"]) == {"accuracy", "bleu", "exact_match"}
    assert scored["samples"] == len(ROWS)
    for wrong in ("0", "many", "-2"):
        refused = type_in("predict", "runs/run", "new.txt", f"--beam={wrong}")
        assert refused.code == 2
        assert "beam" in refused.faults[0]
