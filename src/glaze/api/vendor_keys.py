"""``/providers/{name}/key``: a workspace's own keys at vendors, set and never told again."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from glaze.api.auth import Admin
from glaze.api.schemas import PROBLEMS, V1
from glaze.api.services import Services
from glaze.errors import NotFound
from glaze.pipeline.vendor_keys import LONGEST_KEY
from glaze.store.vendor_key import VendorKeyView

Vendor = Annotated[str, Path(max_length=100, description="a provider's name: GET /v1/providers")]


class VendorKeyIn(BaseModel):
    """A key as the vendor gave it."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"key": "as the vendor shows it"}]}
    )

    key: SecretStr = Field(min_length=1, max_length=LONGEST_KEY)


class VendorKeyOut(BaseModel):
    """What may be known of a workspace's own key."""

    provider: str
    set: bool = Field(description="false: the installation's own is used where it may be")
    last_four: str | None = Field(default=None, description="null, too, of a short key")
    set_at: datetime | None = None


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["access"], responses=PROBLEMS)
    keys = services.vendor_keys

    @router.get("/providers/{name}/key", summary="Whether a vendor's key is set")
    async def read(name: Vendor, who: Admin) -> VendorKeyOut:
        """Return whether the workspace has a key of its own, and how it ends; never the key."""
        services.check_vendor(name)
        for one in await keys.list(who.workspace_id):
            if one.provider == name:
                return _shown(one)
        return VendorKeyOut(provider=name, set=False)

    @router.put("/providers/{name}/key", summary="Set a vendor's key")
    async def put(name: Vendor, body: VendorKeyIn, who: Admin) -> VendorKeyOut:
        """Keep a key of the workspace's own, encrypted, in place of the one before.

        It goes before the installation's own. The next call is made with it; a first one is known
        to every worker within 5 seconds.
        """
        services.check_vendor(name)
        key = body.key.get_secret_value()
        kept = await keys.put(who.workspace_id, name, key, actor=who.actor)
        services.credentials.renew(who.workspace_id)
        return _shown(kept)

    @router.delete("/providers/{name}/key", summary="Forget a vendor's key")
    async def forget(name: Vendor, who: Admin) -> VendorKeyOut:
        """Delete the workspace's own key: no call is made with it any more."""
        services.check_vendor(name)
        gone = await keys.forget(who.workspace_id, name, actor=who.actor)
        services.credentials.renew(who.workspace_id)
        if gone is None:
            raise NotFound(f"the workspace has no key of its own for {name}")
        return VendorKeyOut(provider=name, set=False)

    return router


def _shown(key: VendorKeyView) -> VendorKeyOut:
    return VendorKeyOut(
        provider=key.provider, set=True, last_four=key.last_four or None, set_at=key.set_at
    )
