"""Where the Fault Lab is on."""

from pathlib import Path

import pytest

from cucm_admin.stack.run import children_env


@pytest.mark.parametrize(
    ("given", "on"), [({}, "1"), ({"FAULT_LAB": ""}, "1"), ({"FAULT_LAB": "0"}, "0")]
)
def test_the_stack_of_one_machine_turns_it_on_unless_told_otherwise(
    given: dict[str, str], on: str
) -> None:
    assert children_env(given, Path("/data"))["FAULT_LAB"] == on
