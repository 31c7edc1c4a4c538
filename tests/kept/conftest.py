"""What the tests of commands that look at file systems share."""

import pytest
from command_line import Answer, Ask

from imptrace.cli.main import main


@pytest.fixture
def ask(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Ask:
    """Run imptrace's command line with a database that is not there."""
    monkeypatch.setenv("IMPTRACE_DB", str(tmp_path_factory.mktemp("db") / "none.db"))
    monkeypatch.setenv("NO_COLOR", "1")

    def asking(*arguments: str) -> Answer:
        monkeypatch.setattr("sys.argv", ["imptrace", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        code = ended.value.code
        return Answer(code if isinstance(code, int) else 0, said.out, said.err)

    return asking
