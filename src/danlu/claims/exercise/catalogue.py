"""All exercises, the easiest first."""

from danlu.base.errors import fail, nearest
from danlu.base.naming import spelled
from danlu.claims.exercise.exercise import Exercise
from danlu.claims.exercise.scripts.amber import AMBER
from danlu.claims.exercise.scripts.basil import BASIL
from danlu.claims.exercise.scripts.cedar import CEDAR
from danlu.claims.exercise.scripts.clover import CLOVER
from danlu.claims.exercise.scripts.fern import FERN
from danlu.claims.exercise.scripts.hazel import HAZEL
from danlu.claims.exercise.scripts.indigo import INDIGO
from danlu.claims.exercise.scripts.juniper import JUNIPER
from danlu.claims.exercise.scripts.linden import LINDEN
from danlu.claims.exercise.scripts.maple import MAPLE
from danlu.claims.exercise.scripts.olive import OLIVE
from danlu.claims.exercise.scripts.poppy import POPPY
from danlu.claims.exercise.scripts.quartz import QUARTZ
from danlu.claims.exercise.scripts.saffron import SAFFRON
from danlu.claims.exercise.scripts.sorrel import SORREL
from danlu.claims.exercise.scripts.tansy import TANSY
from danlu.claims.exercise.scripts.yarrow import YARROW

EXERCISES: dict[str, Exercise] = {
    one.id: one
    for one in (
        AMBER,
        BASIL,
        CEDAR,
        CLOVER,
        INDIGO,
        FERN,
        HAZEL,
        JUNIPER,
        LINDEN,
        MAPLE,
        OLIVE,
        POPPY,
        TANSY,
        QUARTZ,
        SAFFRON,
        SORREL,
        YARROW,
    )
}


def exercise_of(name: str) -> Exercise:
    """The exercise called `name`, in whatever spelling. UserError where there is none.

    >>> exercise_of("Amber").level
    1
    """
    found = spelled(name, EXERCISES)
    if found is None:
        fail("exercise.unknown", name=name, names=", ".join(EXERCISES), hint=nearest(str(name).lower(), EXERCISES))
    return EXERCISES[found]
