"""What happens to programs under imptrace when all goes wrong: see __main__.py."""

import sys
from pathlib import Path

# The witness that reads logs of strace serves the tests as well.
sys.path.append(str(Path(__file__).parents[2] / "tests"))
