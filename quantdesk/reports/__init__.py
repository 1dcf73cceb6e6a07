"""Write what is known of a pair as a page that stands alone."""
