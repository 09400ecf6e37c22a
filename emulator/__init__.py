"""A stand-in for a Databricks workspace's REST API and for FiftyOne's, on loopback, for deployments that have neither.

It follows the platform's documentation and recorded answers and keeps what was deployed in SQLite. No cluster starts:
a job's Python files run as processes of this machine, with the environment, files and secrets that a cluster would give
them. It knows nothing of the programs that deploy onto it.
"""
