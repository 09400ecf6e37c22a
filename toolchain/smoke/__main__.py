"""The smallest program: one output, so that the engine, its Python host and its policy analyzer all have to work."""

import pulumi

pulumi.export("works", True)
