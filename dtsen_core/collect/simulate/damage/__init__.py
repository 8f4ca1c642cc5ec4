"""How records of the simulated registers differ from the people they were derived from.

`kinds` is the one declared table of kinds of damage; their rates and sources are data
(``data/rules/sources/damage.toml``). Everything is SQL over columns and follows from hashes of the record.
"""
