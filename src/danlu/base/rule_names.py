"""What a rule is called in the language in force. Ids are the same in both; in English they are the names too."""

from danlu.base.words import catalogue, language


def rule_name(rule: str) -> str:
    """The name of the rule with that id; its id where it has none, as a rule of the user's own.

    >>> rule_name("vanishing-gradient"), rule_name("my-rule")
    ('vanishing-gradient', 'my-rule')
    """
    return catalogue(language()).get(f"rules.name-{rule}", rule)


def rule_label(rule: str) -> str:
    """The name with the id behind it, where the two differ: 梯度消失 vanishing-gradient.

    >>> rule_label("vanishing-gradient")
    'vanishing-gradient'
    """
    name = rule_name(rule)
    return name if name == rule else f"{name} {rule}"
