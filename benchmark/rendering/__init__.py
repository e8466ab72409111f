"""Monte-Carlo renders: scenes, and the driver that renders them."""
