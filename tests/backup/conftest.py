from tests.live.conftest import lab, one_lab

__all__ = ["lab", "one_lab"]
