"""A setting that is refused: what is wrong with it, and how to mend it."""


class RefusalError(ValueError):
    """Raised while settings are validated; the loader turns it into the message that a person reads.

    `what` completes the sentence that the setting's key begins and includes why it matters; `mend` says what to do.
    `key` names the setting where validation, which sees several settings at once, could not tell it. No secret's value
    may stand in any of them.
    """

    def __init__(self, what: str, *, mend: str, key: str = "") -> None:
        super().__init__(f"{key} {what}: {mend}".strip())
        self.what, self.mend, self.key = what, mend, key
