"""Monte-Carlo renders: what a scene is, Mitsuba which renders it, and the folder they fill."""
