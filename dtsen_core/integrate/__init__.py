"""From source records to one golden family record: identity rules, matching, quarantine."""
