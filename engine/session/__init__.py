"""A conversation: joins the parts, owns no numbers."""
