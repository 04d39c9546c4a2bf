"""What the updater does with the world: pipes, HTTP, python-tuf, files, the process that tries a model."""
