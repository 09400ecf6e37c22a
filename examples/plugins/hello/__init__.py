"""The smallest plugin: one operator, which may be delegated to an orchestrator and counts a view's samples."""

import fiftyone.operators as foo


class CountSamples(foo.Operator):
    """Counts the samples of the current view."""

    @property
    def config(self):
        return foo.OperatorConfig(
            name="count_samples",
            label="Count samples",
            allow_delegated_execution=True,
            default_choice_to_delegated=True,
        )

    def execute(self, ctx):
        return {"count": len(ctx.view)}


def register(plugin):
    """Tell FiftyOne of the operator."""
    plugin.register(CountSamples)
