"""What the deployments are called."""

APPLICATION = "canongate"
GATEWAY = "gateway"
EMBEDDER = "embedder"
MODEL = "model"
