"""What pytest has to know before it collects: the matrix of faults has an option, and a table of its own at the end."""

from tests.faults.table import pytest_addoption as pytest_addoption
from tests.faults.table import pytest_terminal_summary as pytest_terminal_summary
