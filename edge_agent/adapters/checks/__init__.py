"""What `topscoop edge doctor` looks at; the judgements are in `edge_agent.checkup`."""
