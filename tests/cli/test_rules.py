"""`danlu rules`: the list, one rule in full, and a word that is none."""

from command_line import Type
from danlu.watch.rulebook import rulebook


def test_every_rule_is_listed_with_its_severity_and_what_it_sees(language: str, type_in: Type) -> None:
    lines = type_in("rules", "--lang", language).out.splitlines()
    assert len([line for line in lines if any(f"{rule.id} " in line for rule in rulebook())]) == len(rulebook())
    error, name = ("error", "vanishing-gradient ") if language == "en" else ("错误", "梯度消失 vanishing-gradient ")
    line = next(line for line in lines if line.startswith(name))
    assert error in line
    assert "danlu rules" in lines[-1]


def test_one_rule_is_told_with_thresholds_remedies_and_source(language: str, type_in: Type) -> None:
    shown = type_in("rules", "dead-relu", "--lang", language).out
    for text in ("min_dead_share ", " 0.5 ", 'net.activation = "leaky-relu"', "arXiv:1903.06733"):
        assert text in shown
    assert ("share, 0 to 1" if language == "en" else "比例，0 到 1") in shown
    assert shown.splitlines()[0].startswith("dead-relu" if language == "en" else "ReLU 神经元死亡 dead-relu")


def test_a_rule_without_thresholds_has_no_table_of_them(type_in: Type) -> None:
    assert "threshold" not in type_in("rules", "nonfinite", "--lang", "en").out


def test_json_has_all_of_it(type_in: Type) -> None:
    listed = type_in("rules", "--json").json["rules"]
    assert [rule["rule"] for rule in listed] == sorted(rule.id for rule in rulebook())
    one = type_in("rules", "lr-too-high", "--json").json
    assert one in listed
    assert one["severities"] == ["error", "warning"]
    assert {"name": "min_steps", "value": 20, "unit": "steps"}.items() <= one["thresholds"][0].items()
    assert [remedy.get("change") for remedy in one["remedies"]] == [
        {"optim.lr": None},
        {"train.clip_norm": 1.0},
        {"optim.momentum": 0.9},
    ]


def test_a_rule_is_found_by_its_name_and_in_any_spelling(type_in: Type) -> None:
    assert type_in("rules", "梯度消失", "--lang", "zh", "--json").json["rule"] == "vanishing-gradient"
    assert type_in("rules", "Dead_ReLU", "--json").json["rule"] == "dead-relu"


def test_the_nearest_rule_is_named(type_in: Type) -> None:
    answer = type_in("rules", "dead-rely", "--lang", "en")
    assert (answer.code, answer.out) == (2, "")
    assert "dead-rely" in answer.err
    assert 'Did you mean "dead-relu"?' in answer.err
    assert '"梯度消失"' in type_in("rules", "梯度消矢", "--lang", "zh").err
