"""The process that brings a release: `python -m edge_agent.updater`, started for one errand and then gone.

It fetches and verifies the chain's signed metadata, fetches the release, tries it in a confined process of
its own, and puts it among the complete releases in one step. What it says to the agent stands in
`edge_agent.updates.errand`. The agent's process imports nothing of this folder: python-tuf stays out of it.
"""
