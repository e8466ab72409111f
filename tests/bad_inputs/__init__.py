"""Bad inputs by kind, as tables: what strangers type, open and leave lying about."""

from bad_inputs import files, folders, images, plugins, trainings, words
from bad_inputs.entry import BadInput

ENTRIES: tuple[BadInput, ...] = tuple(
    entry
    for module in (words, files, images, folders, trainings, plugins)
    for entry in module.ENTRIES
)
