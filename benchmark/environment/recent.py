"""Values which take long to make, kept while there is room, for whoever needs them again."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from threading import Lock
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """The values used last, of so many bytes together; those used longest ago go first.

    Any thread may ask. A copy by `pickle` or `copy` is empty.

    Parameters
    ----------
    limit
        Bytes.
    size
        Bytes of a value.
    """

    def __init__(self, limit: int, size: Callable[[Value], int]):
        self.limit, self.size = limit, size
        self.held = 0
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = Lock()

    def __reduce__(self):
        return type(self), (self.limit, self.size)

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of a key, made unless it is kept; it is not to be changed."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            if key not in self._values:
                self._values[key] = value
                self.held += self.size(value)
            while self.held > self.limit:
                _, oldest = self._values.popitem(last=False)
                self.held -= self.size(oldest)
        return value


def nbytes(arrays: Iterable[Any]) -> int:
    """Bytes of several arrays, or tensors."""
    return sum(array.nbytes for array in arrays)
