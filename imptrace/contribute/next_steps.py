"""The commands that are left to the user: look, push, open the pull request. Nothing is run."""

import re
import shlex

from imptrace.contribute.repository import Repository

_GITHUB = re.compile(r"(?:^|[/@.])github\.com[:/](?P<name>[\w.-]+/[\w.-]+?)(?:\.git)?/?$")


def next_steps(repository: Repository, branch: str) -> list[str]:
    """List the commands, ready to be pasted into a shell."""
    directory, name = shlex.quote(str(repository.top)), shlex.quote(branch)
    steps = [f"git -C {directory} show {name}"]
    remote = repository.remote()
    if remote is None:
        steps.append(f"git -C {directory} remote add origin URL")
    pushed_to = shlex.quote(remote or "origin")
    steps.append(f"git -C {directory} push --set-upstream {pushed_to} {name}")
    on_github = _GITHUB.search(repository.remote_url(remote)) if remote else None
    if on_github:
        steps.append(f"gh pr create --repo {on_github['name']} --head {name} --fill")
    return steps
