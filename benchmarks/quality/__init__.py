"""Quality: what steering does to answers, by measured functions of the text."""
