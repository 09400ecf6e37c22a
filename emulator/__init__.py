"""A stand-in for a Databricks workspace's REST API, on loopback, for deployments that have no workspace at hand.

It follows the platform's documentation and recorded answers, keeps what was deployed in SQLite, and runs nothing:
no cluster starts, no job runs, no secret is resolved. It knows nothing of the programs that deploy onto it.
"""
