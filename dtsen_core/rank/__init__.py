"""The ranking engine: packing, scorecards, fitting, deciles, expenditure behind a score."""
