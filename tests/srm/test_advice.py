"""What a pair of states means: for every pair, whatever the reasons, and whoever comes first."""

from itertools import product

import pytest

from redundancy.srm.advice import FALL_BACK, RECOVER, WAIT, Side, explain, serving
from redundancy.srm.states import Reason, State
from redundancy.srm.types import Policy

S, R = State, Reason
PUB, SUB = "imp-pub", "imp-sub"
POLICY = Policy()
CSD, DB, INIT, ADMIN = (
    R.CRITICAL_SERVICE_DOWN,
    R.DATABASE_FAILURE,
    R.INITIALIZATION,
    R.ON_ADMIN_REQUEST,
)
ANY = tuple(R)
Reasons = tuple[Reason, ...]
# The vendor's rows: number, state and reasons of one node, and of the other.
ROWS: list[tuple[int, State | None, Reasons, State, Reasons]] = [
    (1, S.NORMAL, (R.NORMAL,), S.NORMAL, (R.NORMAL,)),
    (2, S.FAILING_OVER, (ADMIN,), S.TAKING_OVER, (ADMIN,)),
    (3, S.IDLE, (ADMIN,), S.BACKUP, (ADMIN,)),
    (4, S.TAKING_BACK, (ADMIN,), S.FALLING_BACK, (ADMIN,)),
    (5, S.IDLE, (INIT,), S.BACKUP, (ADMIN,)),
    (6, S.IDLE, (INIT,), S.BACKUP, (INIT,)),
    (7, S.IDLE, (ADMIN,), S.BACKUP, (INIT,)),
    (8, S.FAILING_OVER, (ADMIN,), S.TAKING_OVER, (INIT,)),
    (9, S.TAKING_BACK, (INIT,), S.FALLING_BACK, (ADMIN,)),
    (10, S.TAKING_BACK, (R.AUTOMATIC_FALLBACK,), S.FALLING_BACK, (R.AUTOMATIC_FALLBACK,)),
    (11, S.FAILED_OVER, (INIT, CSD), S.BACKUP, (CSD,)),
    (12, S.FAILED_OVER_DOWN, (CSD,), S.BACKUP, (CSD,)),
    (13, S.FAILED_OVER_DOWN, (DB,), S.BACKUP, (DB,)),
    (14, S.FAILED, (R.START_FAILED,), S.FAILED, (R.START_FAILED,)),
    (15, S.FAILED, (CSD, DB), S.FAILED, (CSD, DB)),
    (16, None, ANY, S.BACKUP, (R.PEER_DOWN,)),
    (17, None, ANY, S.BACKUP, (R.PEER_REBOOT,)),
    (18, S.FAILED_OVER, (INIT,), S.BACKUP, (R.PEER_DOWN_DURING_INITIALIZATION,)),
    (18, S.FAILED_OVER_DOWN, (INIT,), S.BACKUP, (R.PEER_DOWN_DURING_INITIALIZATION,)),
    (19, S.FAILED, (R.TAKE_OVER_FAILED,), S.FAILED, (R.TAKE_OVER_FAILED,)),
    (20, S.FAILED, (R.TAKE_BACK_FAILED,), S.FAILED, (R.TAKE_BACK_FAILED,)),
    (21, S.FAILED, (R.UNKNOWN,), S.FAILED, (R.UNKNOWN,)),
    (22, S.BACKUP_ACTIVATED, (R.AUTO_RECOVER_DATABASE,), S.AFFECTED, (R.AUTO_RECOVER_DATABASE,)),
    (23, S.BACKUP_ACTIVATED, (R.AUTO_RECOVER_SERVICE,), S.AFFECTED, (R.AUTO_RECOVER_SERVICE,)),
    (24, S.UNKNOWN, (R.HA_NOT_ENABLED, R.UNKNOWN), S.UNKNOWN, (R.HA_NOT_ENABLED, R.UNKNOWN)),
    (25, S.FAILED, (R.SPLIT_BRAIN,), S.FAILED, (R.SPLIT_BRAIN,)),
]
BY_REASONS = {
    (one, one_reason, two, two_reason): number
    for number, one, one_reasons, two, two_reasons in ROWS
    for one_reason, two_reason in product(one_reasons, two_reasons)
}


def pair(one: State | None, two: State | None, *reasons: Reason) -> tuple[Side, Side]:
    first, second = reasons or (R.UNKNOWN, R.NORMAL)
    return (PUB, one, first), (SUB, two, second)


@pytest.mark.parametrize(("one", "two"), sorted({(row[1], row[3]) for row in ROWS}, key=str))
def test_the_vendors_rows_are_taken_for_their_reasons_and_no_others(
    one: State | None, two: State
) -> None:
    for reasons in product(R, R):
        expected = BY_REASONS.get((one, reasons[0], two, reasons[1]), 0)
        first, second = pair(one, two, *reasons)
        assert explain(first, second, POLICY).number == expected, reasons
        assert explain(second, first, POLICY).number == expected, reasons


BACKUPS = (S.BACKUP, S.BACKUP_ACTIVATED)
TRANSITIONS = (S.INITIALIZING, S.FAILING_OVER, S.TAKING_OVER, S.TAKING_BACK, S.FALLING_BACK)
# Ours: the states of two nodes, and how cause and advice begin where no row of the vendor's fits.
OURS: dict[tuple[State | None, State], tuple[str, str]] = {
    **{(None, two): (f"{SUB} has all users; {PUB} does not report.", f"Start {PUB} and its SRM; when") for two in BACKUPS},
    (None, S.NORMAL): (f"{PUB} does not report; {SUB} declares it down", f"Wait, or start {PUB}"),
    (None, S.FAILED): (f"{SUB} runs in failed mode; {PUB}", f"Start {PUB} and its SRM, then press Recover."),
    (None, S.FAILED_OVER_DOWN): (f"{PUB}, which served everybody, does not report, and {SUB} cannot", f"Start the service on {SUB}"),
    **{(None, two): (f"{PUB}, which served everybody, does not report; {SUB} takes over", f"Wait, or start {PUB}") for two in (S.IDLE, S.FAILED_OVER, S.AFFECTED)},
    (None, S.INITIALIZING): (f"{SUB} has started and waits for {PUB}", f"Start {PUB} and its SRM, or wait"),
    **{(S.INITIALIZING, two): ("The nodes are finding each other", WAIT) for two in (S.INITIALIZING, S.NORMAL)},
    **{(S.INITIALIZING, two): (f"The SRM of {PUB} has just started; {SUB} has all", WAIT) for two in BACKUPS},
    **{(S.FAILED_OVER_DOWN, two): (f"{SUB} has all users; a critical service of {PUB}", f"Start the service on {PUB}, then") for two in BACKUPS},
    **{(one, two): (f"{SUB} has all users; {PUB} is healthy again.", FALL_BACK.format(one=PUB)) for one in (S.FAILED_OVER, S.AFFECTED) for two in BACKUPS},
    **{(S.IDLE, two): (f"{PUB} was failed over by hand; {SUB} has all", FALL_BACK.format(one=PUB)) for two in BACKUPS},
    **{(S.FAILING_OVER, two): (f"{PUB} is failing over to {SUB}.", WAIT) for two in (S.NORMAL, S.TAKING_OVER, S.BACKUP)},
    (S.FAILED, S.FAILED): ("Both nodes run in failed mode.", RECOVER),
}  # fmt: skip


@pytest.mark.parametrize("two", S)
def test_every_pair_has_its_words(two: State) -> None:
    for one in (None, *S):
        # Reasons of no row of the vendor's.
        first, second = pair(one, two, R.UNKNOWN, R.START_FAILED)
        found = explain(first, second, POLICY)
        if (one, two) in OURS:
            cause, advice = OURS[one, two]
        elif (two, one) in OURS:
            # The same pair the other way round.
            continue
        elif one in TRANSITIONS or two in TRANSITIONS:
            cause, advice = "The pair is between two states.", WAIT
        else:
            cause = "The nodes do not agree yet on who serves."
            advice = "Wait for the next heartbeats; if the states stay, disable and enable"
        assert found.number == 0
        assert found.cause.startswith(cause), one
        assert found.advice.startswith(advice), one
        if advice.endswith("."):
            assert found.advice == advice
        assert explain(second, first, POLICY) == found


def test_two_that_do_not_report() -> None:
    found = explain(*pair(None, None), POLICY)
    assert (found.number, found.cause) == (0, "Neither node reports.")
    assert found.advice == "Start the nodes and their SRMs."


@pytest.mark.parametrize("two", S)
def test_who_falls_back_by_itself(two: State) -> None:
    """One that was failed over and not by hand, while its peer serves everybody."""
    automatic = Policy(automatic_fallback=True, fallback_after=600)
    for one in (None, *S):
        first, second = pair(one, two)
        told = explain(first, second, automatic).advice
        falls_back = (S.FAILED_OVER, S.FAILED_OVER_DOWN, S.AFFECTED)
        who = ""
        if one in falls_back and two in BACKUPS:
            who = PUB
        elif two in falls_back and one in BACKUPS:
            who = SUB
        words = f"Automatic fallback is enabled: {who} takes its users back by itself when it has been healthy for 10 min"
        assert (words in told) == bool(who), (one, two)
        assert ("Automatic fallback" in told) == bool(who)
        assert "Automatic" not in explain(first, second, POLICY).advice


def test_a_node_that_cannot_serve_is_not_said_to_serve() -> None:
    first, second = pair(S.IDLE, S.BACKUP, ADMIN, ADMIN)
    assert serving(SUB) == f"{SUB} has all users"
    shut = f"{SUB} has all users, and nobody can log in there"
    without = f"{SUB} does not have the users of its peer"
    assert serving(SUB, shut=[SUB]) == shut
    assert serving(SUB, without=[SUB], shut=[SUB]) == without
    assert serving(SUB, shut=[PUB], without=[PUB]) == serving(SUB)
    affected = pair(S.BACKUP_ACTIVATED, S.AFFECTED, *[R.AUTO_RECOVER_SERVICE] * 2)
    for one, two in ((second, first), affected):
        name = one[0]
        for given, words in (({"shut": [name]}, shut), ({"without": [name]}, without)):
            said = words.replace(SUB, name)
            assert said in explain(one, two, POLICY, **given).cause
            assert said in explain(two, one, POLICY, **given).cause


@pytest.mark.parametrize(
    ("shut", "named"), [([PUB], PUB), ([SUB], SUB), ([PUB, SUB], f"{PUB} and {SUB}")]
)
def test_two_healthy_nodes_are_not_said_to_serve_where_nobody_can_log_in(
    shut: list[str], named: str
) -> None:
    told = explain(*pair(S.NORMAL, S.NORMAL, R.NORMAL, R.NORMAL), POLICY, shut=shut)
    assert told.cause == f"Both nodes are healthy, but nobody can log in at {named}."
    assert told.advice == f"Start the services that a login needs on {named}."
    assert (told.number, told.closed) == (0, True)
