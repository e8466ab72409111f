"""The commands of ``bench``, one file each: options, decorator, function."""
