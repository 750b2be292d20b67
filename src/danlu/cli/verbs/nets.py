"""`danlu nets`."""

import argparse
from dataclasses import asdict
from typing import Any

from danlu import nets
from danlu.cli.outcome import Outcome
from danlu.cli.words import check_one
from danlu.view.tables import print_net, print_net_list


def do_nets(arguments: argparse.Namespace) -> Outcome:
    """The catalogue of nets, or one of them layer by layer."""
    asked: list[str] = arguments.words
    check_one("nets", asked)
    if asked:
        net, sample_shape = nets.example(asked[0])
        described = nets.describe(net, sample_shape)
        facts = {"name": asked[0], "options": nets.option_names(asked[0]), "sample_shape": sample_shape}
        facts["data"] = nets.usual_data(asked[0])
        record = {**facts, **asdict(described)}
        return Outcome(record, lambda console: print_net(console, record))
    rows: list[dict[str, Any]] = []
    for name in nets.names():
        parameters, multiply_adds = nets.size(name)
        rows.append({"name": name, "parameters": parameters, "multiply_adds": multiply_adds})
    return Outcome({"nets": rows}, lambda console: print_net_list(console, rows))
