"""What a recovery by auth/v1 does to the table: the budgets that shared/tests/engine/budgets.rs holds the engine to."""

# Write units of each item that a call writes.
WRITES = {'request': [2, 2, 2, 2], 'proof': [1, 1, 1, 1, 1, 1], 'wrong': [1, 1], 'password': [1, 2, 2, 2], 'mail': [1, 1]}
# Reads of one unit each, all of them strongly consistent.
READS = {'request': 0, 'proof': 2, 'wrong': 0, 'password': 1, 'mail': 2, 'event': 1}
MAILS = 2  # the code and the notice

# Milliseconds of a function, but for the floor of a batch of mails. Assumed: 5 to 10 for a round trip to the table or to EventBridge.
MILLISECONDS = {'request': 20, 'proof': 40, 'wrong': 20, 'password': 60, 'event': 20}
COLD_START_MILLISECONDS = 300  # assumed: what a run takes longer, and what Lambda bills


def writes(call):
    """Write units of one call."""
    return sum(WRITES[call])


def recovery_writes():
    """Write units of a recovery with its mails."""
    return writes('request') + writes('proof') + writes('password') + MAILS * writes('mail')
