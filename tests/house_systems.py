"""What the house must not take for granted of the system it runs on: Windows lacks much of what POSIX has."""

import ast
import re
from collections.abc import Iterator

from house_sources import Module, is_under

POSIX_MODULES = {
    "_posixsubprocess", "crypt", "fcntl", "grp", "nis", "ossaudiodev", "posix", "pty", "pwd", "readline", "resource",
    "spwd", "syslog", "termios", "tty",
}  # fmt: skip
# What Windows lacks, and what a module that mentions it asks for first.
POSIX_NAMES = {
    **{
        f"os.{name}": name
        for name in (
            "chown", "fork", "forkpty", "getegid", "geteuid", "getgid", "getloadavg", "getpgid", "getuid", "killpg",
            "mkfifo", "nice", "openpty", "register_at_fork", "sched_getaffinity", "sched_setaffinity", "setsid",
            "statvfs", "sync", "uname", "wait", "WNOHANG",
        )
    },
    "os.sysconf": "sysconf_names",
    **{
        f"signal.{name}": name
        for name in (
            "SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH", "alarm",
            "pause", "setitimer",
        )
    },
}  # fmt: skip


def windows_is_thought_of(module: Module) -> Iterator[str]:
    """Nothing that only POSIX has is imported or used unless it was asked for."""
    tried = {
        id(inner)
        for node in module.nodes
        if isinstance(node, ast.Try) and any("ImportError" in ast.unparse(one.type or one) for one in node.handlers)
        for inner in ast.walk(node)
    }
    for node, name in module.mentions:
        if isinstance(node, ast.Import | ast.ImportFrom) and is_under(name, POSIX_MODULES) and id(node) not in tried:
            yield module.at(node, f"{name} is not there on Windows")
        asked = POSIX_NAMES.get(name)
        if asked and not re.search(rf"(has|get)attr\(\w+, \"{asked}\"", module.text):
            yield module.at(node, f"{name} is not there on Windows, and nobody asks")
