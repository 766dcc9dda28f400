"""A workspace in the middle of its work, for pictures."""

import time

from tests.browser.product import Product

FIELDS = ["company_name", "company_phone", "company_industry"]


def prepare(product: Product) -> None:
    """Have some companies enriched, and wait for them."""
    companies = product.sandbox.get("hosts")["companies"][:60]
    made = [
        product.ask("POST", "/v1/enrich", {"url": one["url"], "fields": FIELDS, "wait_s": 0})["id"]
        for one in companies
    ]
    deadline = time.monotonic() + 60
    while any(
        product.ask("GET", f"/v1/jobs/{one}")["state"] in {"pending", "processing", "scheduled"}
        for one in made
    ):
        if time.monotonic() > deadline:
            break
        time.sleep(0.5)
