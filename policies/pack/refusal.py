"""Why the pack does not start: one line that names the place, what is wrong, and what to do."""


class PackRefusedError(Exception):
    """What the pack was given cannot be enforced; its text is the line that people read."""
