"""The front door: one `gainsift` command that joins the stages."""
