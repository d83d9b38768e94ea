"""From a scan to what the network expects."""
