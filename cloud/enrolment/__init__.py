"""How registers get in and are put out: authorities, one-time codes, certificates, revocation."""
