"""Gateway, embedder and model as deployments of Ray Serve. Nothing else imports ray; it is the extra `ray`."""
