"""Names, labels and settings that would be script if any page took them for more than text."""

from typing import Any

from danlu.store.run_history import RunHistory
from danlu.store.study_history import StudyHistory
from danlu.view.info.run import RunInfo
from danlu.view.info.study import StudyInfo, study_info
from dashboard_site import RECIPE, course

PAYLOADS = [
    "<script>pwned=1</script>",
    "</script><script>pwned=1</script>",
    "<!--</script><script>pwned=1//",
    "--><script>pwned=1</script><!--",
    "]]><script>pwned=1</script>",
    "<ScRiPt >pwned=1</sCrIpT >",
    "<scr<script>ipt>pwned=1</scr</script>ipt>",
    "<img src=x onerror=pwned=1>",
    "<img src=x onerror='pwned=1'//",
    '"><img src=x onerror=pwned=1>',
    "'><img src=x onerror=pwned=1>",
    "` onerror=pwned=1 `",
    '" onmouseover="pwned=1" x="',
    "' onfocus='pwned=1' autofocus='",
    "<svg onload=pwned=1>",
    "<svg><script>pwned=1</script></svg>",
    "<svg><animate onbegin=pwned=1 attributeName=x dur=1s>",
    "<math><mtext><table><mglyph><style><img src=x onerror=pwned=1>",
    "<iframe src=javascript:pwned=1></iframe>",
    "<iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
    "javascript:pwned=1",
    "<a href=javascript:pwned=1>x</a>",
    "<body onload=pwned=1>",
    "<meta http-equiv=refresh content='0;url=http://evil.example'>",
    "<base href=http://evil.example/>",
    "<link rel=stylesheet href=http://evil.example/x.css>",
    "<style>@import 'http://evil.example/x.css'</style>",
    "</style><script>pwned=1</script>",
    "</title><script>pwned=1</script>",
    "</textarea><script>pwned=1</script>",
    "<form action=http://evil.example><input name=x autofocus>",
    "<object data=http://evil.example></object>",
    "<template><script>pwned=1</script></template>",
    "\u2028pwned=1\u2029<script>",
    "&lt;script&gt;pwned=1&lt;/script&gt;",
    "\x00<script>pwned=1</script>",
    "${pwned=1} {{pwned=1}} #{pwned=1}",
    "+ADw-script+AD4-pwned=1+ADw-/script+AD4-",
]


_WORDS = ("kind", "part", "png", "severity", "reason")
_ENDS = ("input", "output")  # of the net's graph


def with_payload(value: Any, payload: str, key: str = "") -> Any:
    """The record with `payload` behind every string in it, but for those that danlu goes by."""
    if isinstance(value, dict):
        return {name: with_payload(inner, payload, str(name)) for name, inner in value.items()}
    if isinstance(value, list):
        return [with_payload(inner, payload, key) for inner in value]
    names = isinstance(value, str) and key not in _WORDS and value not in _ENDS
    return value + payload if names else value


def hostile_run(payload: str) -> RunInfo:
    """A run with the payload in its name, labels, classes, findings, recipe, environment and place."""
    return RunInfo(
        name=f"run {payload}",
        state="finished",
        history=RunHistory.of([with_payload(record, payload) for record in course()]),
        recipe=f"# {payload}\n{RECIPE}",
        settings={"net.name": payload, payload: payload},
        environment={payload: payload, "inner": {payload: [payload]}},
        where=f"/runs/{payload}",
    )


def hostile_study(payload: str) -> StudyInfo:
    design = {
        "factors": {f"net.{payload}": [f"a{payload}", f"b{payload}"]},
        "seeds": [0, 1, 2],
        "folds": 1,
        "metric": "accuracy",
    }
    members = [
        {
            "kind": "member",
            "factors": {f"net.{payload}": level + payload},
            "seed": seed,
            "fold": 0,
            "score": {"accuracy": (0.5 if level == "a" else 0.9) + seed / 100, payload: 0.5},
            "diverged": False,
        }
        for seed in range(3)
        for level in "ab"
    ]
    best = {"kind": "best", "factors": {f"net.{payload}": f"b{payload}"}, "validation": {"accuracy": 0.9, payload: 0.4}}
    return study_info(
        f"study {payload}", design, StudyHistory.of([*members, best]), recipe=f"# {payload}", where=payload
    )
