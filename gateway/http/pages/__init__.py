"""The pages for people who look after the gateway; each handler calls services and renders, and decides nothing."""
