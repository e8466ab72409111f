"""Files on a disk that several processes share: whole or absent, named, leased."""
