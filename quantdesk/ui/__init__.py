"""Paint the desk."""
