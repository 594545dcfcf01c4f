"""The management endpoints under /crm, as clients of OmniCRM call them, and a tiny protected example."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from keyadmin.keys import api as keys
from keyadmin.web.auth import Credential
from keyadmin.web.rest import READ, Shape

api_keys = keys.router("crm_api_keys", acts=False)
customers = Router(auth=Credential("view_customer"), tags=["Protected example"])


class Customer(Shape):
    customer_id: int
    name: str
    city: str


class CustomerList(Shape):
    items: list[Customer]
    total: int
    next: str | None
    previous: str | None


CUSTOMERS = (
    {"customer_id": 1, "name": "Harbour Bakery", "city": "Gothenburg"},
    {"customer_id": 2, "name": "Alder & Sons", "city": "Leeds"},
    {"customer_id": 3, "name": "Quay Logistics", "city": "Rotterdam"},
)


@customers.get("", response={200: CustomerList, **READ}, operation_id="crm_customers_list")
def list_customers(request: HttpRequest) -> dict[str, Any]:
    """An endpoint to try a key on. Needs view_customer."""
    return {"items": list(CUSTOMERS), "total": len(CUSTOMERS), "next": None, "previous": None}
