"""Updates' hands on the world: the state on disk, the updater process, the files over MQTT."""
