"""The generated world: companies and people that exist nowhere else, with their truth."""
