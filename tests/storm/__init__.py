"""Kill storms: workers and PostgreSQL killed under load, judged by counts that are not the product's."""
