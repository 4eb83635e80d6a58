"""From the wire to ordered frames."""
