"""The model card of an exported run: what it is for, how good on how many samples, its limits; without torch."""

from collections.abc import Mapping
from typing import Any

from danlu.base.metric_names import metric_name
from danlu.base.naming import listed
from danlu.base.printable import printable
from danlu.base.strict_json import to_json
from danlu.base.words import LANGUAGES, catalogue, language, say, speaking
from danlu.ship.export.interface import Interface


def model_card(interface: Interface, metadata: Mapping[str, Any]) -> str:
    """Markdown in English and in Chinese, with the front matter that the Hub reads."""
    net, data = metadata["net"]["name"], str(interface.plain["name"])
    tags = ["danlu", interface.task, net]
    lines = ["---", "library_name: danlu", "language: [en, zh]", f"tags: {to_json(tags)}"]
    if metadata.get("licence"):
        lines.append(f"# licence of the training data: {printable(str(metadata['licence'])).splitlines()[0]}")
    lines += ["---", ""]
    for one in LANGUAGES:
        with speaking(one):
            lines.append(_section(net, data, interface, metadata))
    return printable("\n".join(lines))


def _section(net: str, data: str, interface: Interface, metadata: Mapping[str, Any]) -> str:
    def words(key: str, **values: Any) -> str:
        return say(f"export.card-{key}", **values)

    sizes = metadata.get("data", {}).get("sizes", {})
    lines = [
        f"# {words('title', net=net, data=data)}",
        "",
        words("what", net=net, data=data, task=say(f"base.task-{interface.task}")),
        "",
    ]
    lines += [f"## {words('scores')}", "", f"| {words('part')} | n | {words('numbers')} |", "|---|---|---|"]
    for part, score in metadata.get("scores", {}).items():
        numbers = {name: value for name, value in score.items() if name != "n" and _is_number(value)}
        told = ", ".join(f"{metric_name(name)} {value:.4g}" for name, value in numbers.items())
        lines.append(f"| {say(f'view.part-{part}')} | {score.get('n', '')} | {told} |")
    proof = metadata["proof"]
    lines += ["", words("proof", samples=proof["samples"], delta=f"{proof['max_delta']:.2g}"), ""]
    lines += [
        f"## {words('data')}",
        "",
        words("data-told", data=data, **{part: sizes.get(part, "?") for part in _PARTS}),
    ]
    for key in ("source", "licence"):
        if metadata.get(key):
            lines.append(f"{words(key)}: {metadata[key]}")
    lines += ["", f"## {words('inputs')}", ""]
    for one in interface.description()["inputs"]:
        means = _means(str(one.get("means", "category")))
        lines.append(f"- `{one['name']}`: {one['dtype']} {one['shape']}, {means}")
    if interface.class_names:
        names = listed((f"`{label}`" for label in interface.class_names), 50)
        lines += ["", f"{words('classes')}: {names}"]
    lines += [
        "",
        f"## {words('limits')}",
        "",
        words("limits-told"),
        "",
        f"## {words('use')}",
        "",
        "```",
        _USE,
        "```",
        "",
    ]
    return "\n".join(lines)


_PARTS = ("train", "validation", "test")
_USE = "danlu predict FOLDER FILES\ndanlu check FOLDER"


def _means(word: str) -> str:
    """What an input means, in the language in force, where there is a word for it."""
    return catalogue(language()).get(f"export.card-means-{word}", word)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)
