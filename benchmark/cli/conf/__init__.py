"""The primary configs of bench run, train, report and list."""
