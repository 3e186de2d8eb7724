"""The chat widget's side of the gateway: who embeds it, who its visitors are, and what they asked a moment ago."""
