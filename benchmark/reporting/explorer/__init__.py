"""The explorer: one HTML file which shows a results folder and needs nothing beside it."""
