"""What was used last is kept up to so many bytes, and made once as long as it is."""

import pickle

import numpy as np

from benchmark.environment.recent import Recent, nbytes


def asked(kept: Recent, keys: str) -> str:
    """The keys whose values had to be made."""
    made = []
    for key in keys:
        kept.get(key, lambda key=key: made.append(key) or [np.zeros(10, np.uint8)])
    return "".join(made)


def test_a_value_is_made_once_while_there_is_room():
    assert asked(Recent(30, nbytes), "abcabc") == "abc"


def test_what_was_used_longest_ago_goes_first():
    assert asked(Recent(20, nbytes), "abacab") == "abcb"


def test_what_is_larger_than_all_the_room_is_not_kept():
    kept = Recent(5, nbytes)
    assert asked(kept, "aa") == "aa" and kept.held == 0


def test_a_copy_is_empty_and_works():
    kept = Recent(30, nbytes)
    asked(kept, "a")
    copy = pickle.loads(pickle.dumps(kept))
    assert copy.held == 0 and asked(copy, "aa") == "a"
